//! From a text to the syntax tree: minijinja parses, and what it found is made ours.
//!
//! Text between quotes is read here and not by minijinja: Ansible keeps backslashes in `{{ }}` as they
//! are written, Jinja's escapes hold in `{% %}` and in template files, and Python leaves unknown ones
//! alone.

use std::borrow::Cow;
use std::sync::Arc;

use minijinja::machinery::{Token, ast, parse, parse_expr, tokenize};
use minijinja::syntax::SyntaxConfig;

use super::error::{Cause, Fail, TemplateError, TextPlace};
use super::expressions::Lowering;
use super::header::Header;
use super::render::TextOptions;
use super::syntax::{Program, Span, Stmt};
use super::val::Val;

/// How many operators may follow each other: each nests the tree by one.
const CHAIN_MAX: usize = 150;
/// How many blocks may be open, and branches an `if` may have.
const NESTING_MAX: usize = 200;
/// How long a template may be.
const TEXT_MAX: usize = 16 << 20;

/// What was found wrong without running anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// In words.
    pub message: String,
    /// The place in the text.
    pub place: TextPlace,
    /// The closest known name, where one is close.
    pub suggestion: Option<String>,
    /// Whether it only matters once the place is come to: lookups, and filters that `map` names. All
    /// else keeps the whole text from being used.
    pub deferred: bool,
}

/// How a text is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// A value of YAML's: text with `{{ }}`.
    Value,
    /// A bare expression.
    Expression,
    /// A file.
    File(TextOptions),
}

/// What was made of a text.
pub(super) struct Lowered {
    pub(super) program: Program,
    pub(super) problems: Vec<Problem>,
    /// Names of plugins that are constants: of lookups.
    pub(super) names: Vec<Arc<str>>,
}

/// Parses a text.
pub(super) fn lower(source: &Arc<str>, form: &Form) -> Result<Lowered, Fail> {
    if source.len() > TEXT_MAX {
        return Err(Box::new(TemplateError::new(
            Cause::Syntax,
            "the template is too long",
        )));
    }
    let source = &line_ends(source);
    let header = match form {
        Form::File(options) => Header::of(source, options)?,
        _ => None,
    };
    let read = match &header {
        Some(header) => header.hidden(source),
        None => Cow::Borrowed(&**source),
    };
    let form = &match &header {
        Some(header) => Form::File(header.options.clone()),
        None => form.clone(),
    };
    let (text, mark) = hide_backslashes(&read);
    let syntax = syntax_of(form)?;
    let bare = matches!(form, Form::Expression);
    check_nesting(&text, bare, &syntax, source)?;
    let mut lowering = Lowering::new(source, mark, matches!(form, Form::Value));
    lowering.embedded = bare;
    if let Form::File(options) = form
        && &*options.newline != "\n"
    {
        lowering.newline = Some(options.newline.clone());
    }
    let mut body = if bare {
        let tree = parse_expr(&text).map_err(|error| syntax_error(&error, source, bare))?;
        vec![lowering.emit(&tree)?]
    } else {
        let tree =
            parse(&text, "template", syntax).map_err(|error| syntax_error(&error, source, bare))?;
        match &tree {
            ast::Stmt::Template(template) => lowering.body(&template.children)?,
            other => lowering.body(std::slice::from_ref(other))?,
        }
    };
    if let (Some(header), Some(Stmt::Text(Val::Str(first)))) = (&header, body.first_mut())
        && let Some(rest) = first.strip_prefix(&lowering.lines(header.blanks()))
    {
        *first = Arc::from(rest);
    }
    let Lowering {
        blocks,
        problems,
        names,
        ..
    } = lowering;
    Ok(Lowered {
        program: Program {
            source: source.clone(),
            body,
            blocks,
            options: match form {
                Form::File(options) => options.clone(),
                _ => TextOptions::default(),
            },
        },
        problems: problems
            .into_iter()
            .map(|found| Problem {
                place: TextPlace::of(source, found.span.start as usize, found.span.end as usize),
                message: found.message,
                suggestion: found.suggestion,
                deferred: found.deferred,
            })
            .collect(),
        names,
    })
}

/// Any line end is `\n` to Jinja, before it reads anything else.
fn line_ends(source: &Arc<str>) -> Arc<str> {
    if source.contains('\r') {
        Arc::from(source.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        source.clone()
    }
}

fn syntax_of(form: &Form) -> Result<SyntaxConfig, Fail> {
    let mut builder = SyntaxConfig::builder();
    match form {
        Form::Value => _ = builder.trim_blocks(true),
        Form::Expression => {}
        Form::File(options) => {
            builder
                .trim_blocks(options.trim_blocks)
                .lstrip_blocks(options.lstrip_blocks)
                .block_delimiters(
                    options.block_start.to_string(),
                    options.block_end.to_string(),
                )
                .variable_delimiters(
                    options.variable_start.to_string(),
                    options.variable_end.to_string(),
                )
                .comment_delimiters(
                    options.comment_start.to_string(),
                    options.comment_end.to_string(),
                );
        }
    }
    builder.build().map_err(|error| {
        Box::new(TemplateError::new(
            Cause::Syntax,
            format!("these marks can't be used: {error}"),
        ))
    })
}

/// Hides backslashes from minijinja's reader of strings, behind a character that the text has not; a
/// backslash before a quote stays, since it says where the string ends.
fn hide_backslashes(text: &str) -> (Cow<'_, str>, Option<char>) {
    if !text.contains('\\') {
        return (Cow::Borrowed(text), None);
    }
    let Some(mark) = ('\x01'..='\x08').find(|mark| !text.contains(*mark)) else {
        return (Cow::Borrowed(text), None);
    };
    let mut hidden = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('"' | '\'')) => {
                hidden.push('\\');
                hidden.extend(chars.next());
            }
            ('\\', Some('\\')) => {
                chars.next();
                hidden.extend([mark, mark]);
            }
            ('\\', _) => hidden.push(mark),
            _ => hidden.push(c),
        }
    }
    (Cow::Owned(hidden), Some(mark))
}

/// Refuses what would nest so deep that working on it needs more stack than a thread has.
fn check_nesting(text: &str, bare: bool, syntax: &SyntaxConfig, source: &str) -> Result<(), Fail> {
    let (mut chain, mut blocks, mut branches) = (0_usize, 0_usize, 0_usize);
    let mut in_block = false;
    for token in tokenize(text, bare, syntax.clone()) {
        let Ok((token, span)) = token else {
            return Ok(()); // The parser says it better.
        };
        match token {
            Token::Comma | Token::VariableStart => chain = 0,
            Token::BlockStart => {
                chain = 0;
                in_block = true;
                continue;
            }
            Token::Ident(word) if in_block => match word {
                "elif" => branches += 1,
                "for" | "if" | "with" | "filter" | "macro" | "call" | "block" => blocks += 1,
                _ if word.starts_with("end") => {
                    blocks = blocks.saturating_sub(1);
                    branches = 0;
                }
                _ => {}
            },
            Token::TemplateData(_)
            | Token::VariableEnd
            | Token::BlockEnd
            | Token::Str(_)
            | Token::String(_)
            | Token::Int(_)
            | Token::Int128(_)
            | Token::Float(_) => {}
            Token::Ident(word) => {
                if matches!(word, "and" | "or" | "not" | "is" | "if" | "else" | "in") {
                    chain += 1;
                }
            }
            _ => chain += 1,
        }
        in_block = false;
        if chain > CHAIN_MAX * 4 || blocks + branches > NESTING_MAX {
            let mut error = TemplateError::new(
                Cause::Syntax,
                "the template nests too deep: split it up, with {% set %} for example",
            );
            error.place = Some(place(source, span));
            return Err(Box::new(error));
        }
    }
    Ok(())
}

fn place(source: &str, span: minijinja::machinery::Span) -> TextPlace {
    let bound = |at: u32| (at as usize).min(source.len());
    let start = source.floor_char_boundary(bound(span.start_offset));
    TextPlace::of(source, start, bound(span.end_offset))
}

fn syntax_error(error: &minijinja::Error, source: &str, bare: bool) -> Fail {
    let detail = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    let detail = detail.strip_prefix("syntax error: ").unwrap_or(&detail);
    let (what, more) = if bare {
        let marks = source.contains("{{") || source.contains("{%");
        (
            "expression",
            if marks {
                ". Template delimiters are not supported in expressions"
            } else {
                ""
            },
        )
    } else {
        ("template", "")
    };
    let mut problem = TemplateError::new(
        Cause::Syntax,
        format!("Syntax error in {what}{more}: {detail}"),
    );
    problem.place = error.range().map(|range| {
        let bound = |at: usize| source.floor_char_boundary(at.min(source.len()));
        TextPlace::of(source, bound(range.start), bound(range.end))
    });
    Box::new(problem)
}

/// Something unknown, before its place is worked out.
pub(super) struct Unknown {
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) suggestion: Option<String>,
    pub(super) deferred: bool,
}
