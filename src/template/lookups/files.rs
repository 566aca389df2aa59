//! Lookups of the controller's files, commands and addresses; all of it through the scope.

use std::sync::Arc;
use std::time::Duration;

use super::super::error::{Fail, fail, failure};
use super::super::eval::Context;
use super::super::lower::Form;
use super::super::python;
use super::super::render::TextOptions;
use super::super::scope::{Controller, WebRequest};
use super::super::val::Val;
use super::{Lookup, Request, lookup};
use crate::base::secret::Secret;

pub(super) const ALL: &[Lookup] = &[
    lookup("file", "rstrip lstrip", file),
    lookup("unvault", "", |request| {
        each(request, |controller, name| {
            let bytes = controller.read(name, "files")?;
            let text = String::from_utf8(bytes).map_err(|_| "the file is not UTF-8".to_owned())?;
            Ok(vec![Val::from(text)])
        })
    }),
    lookup("fileglob", "", |request| {
        each(request, |controller, pattern| {
            let files = controller.glob(pattern)?.into_iter();
            let files = files.filter(|path| controller.kind(path).is_some_and(|kind| kind.file));
            Ok(files.map(Val::from).collect())
        })
    }),
    lookup("first_found", "files paths skip", first_found),
    lookup("pipe", "", |request| {
        each(request, |controller, command| {
            let out = controller.run(command)?;
            Ok(vec![Val::str(String::from_utf8_lossy(&out).trim_end())])
        })
    }),
    lookup("lines", "", |request| {
        each(request, |controller, command| {
            let out = controller.run(command)?;
            let text = String::from_utf8_lossy(&out).into_owned();
            Ok(python::splitlines(&text, false)
                .into_iter()
                .map(Val::from)
                .collect())
        })
    }),
    lookup(
        "url",
        "split_lines headers timeout follow_redirects username password validate_certs use_proxy http_agent force force_basic_auth",
        url,
    ),
    lookup("inventory_hostnames", "", |request| {
        each(request, |controller, pattern| {
            Ok(controller
                .hosts(pattern)?
                .into_iter()
                .map(Val::from)
                .collect())
        })
    }),
    lookup(
        "template",
        "template_vars convert_data trim_blocks lstrip_blocks variable_start_string variable_end_string comment_start_string comment_end_string jinja2_native",
        template,
    ),
];

/// What the caller gives access to.
pub(super) fn controller<'r>(cx: &Context<'r>) -> Result<&'r dyn Controller, Fail> {
    cx.scope
        .controller()
        .ok_or_else(|| failure("the controller's files and commands are not available here"))
}

fn each(
    request: &Request<'_>,
    work: impl Fn(&dyn Controller, &str) -> Result<Vec<Val>, String>,
) -> Result<Vec<Val>, Fail> {
    let controller = controller(request.cx)?;
    let mut found = Vec::new();
    for term in request.texts()? {
        found.extend(work(controller, &term).map_err(failure)?);
    }
    Ok(found)
}

fn file(request: &Request<'_>) -> Result<Vec<Val>, Fail> {
    let (rstrip, lstrip) = (request.flag("rstrip", true), request.flag("lstrip", false));
    each(request, |controller, name| {
        let bytes = controller.read(name, "files")?;
        let text = String::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8"))?;
        let text = if lstrip { text.trim_start() } else { &text };
        let text = if rstrip { text.trim_end() } else { text };
        Ok(vec![Val::str(text)])
    })
}

fn url(request: &Request<'_>) -> Result<Vec<Val>, Fail> {
    let split = request.flag("split_lines", true);
    let text = |name: &str| Ok::<_, Fail>(request.text(name)?.map(|text| text.to_string()));
    let headers = match request.option("headers") {
        Some(given) => {
            let pairs = python::pairs_of(request.cx, given)?;
            pairs
                .into_iter()
                .map(|(name, value)| {
                    let (name, value) = (python::text(&name)?, python::text(&value)?);
                    Ok((name.to_string(), Secret::new(value.to_string())))
                })
                .collect::<Result<_, Fail>>()?
        }
        None => Vec::new(),
    };
    let timeout = match text("timeout")? {
        Some(seconds) => seconds
            .parse::<f64>()
            .ok()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .ok_or_else(|| failure("`timeout` is a number of seconds"))?,
        None => Duration::from_secs(10),
    };
    let follow = match text("follow_redirects")?.as_deref() {
        None | Some("all" | "safe" | "urllib2" | "yes" | "True") => true,
        Some("no" | "none" | "False") => false,
        Some(_) => return fail("`follow_redirects` is one of all, no, none, safe, urllib2, yes"),
    };
    let login = match text("username")? {
        Some(user) => Some((user, Secret::new(text("password")?.unwrap_or_default()))),
        None => None,
    };
    let wanted = WebRequest {
        url: String::new(),
        headers,
        login,
        timeout,
        follow,
        verify: request.flag("validate_certs", true),
        proxy: request.flag("use_proxy", true),
        agent: text("http_agent")?.unwrap_or_else(|| "ansible-httpget".to_owned()),
    };
    each(request, |controller, address| {
        let mut wanted = wanted.clone();
        address.clone_into(&mut wanted.url);
        let bytes = controller.fetch(&wanted)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(if split {
            python::splitlines(&text, false)
                .into_iter()
                .map(Val::from)
                .collect()
        } else {
            vec![Val::from(text)]
        })
    })
}

/// Names to try, in order, and the folders to try them in.
fn first_found(request: &Request<'_>) -> Result<Vec<Val>, Fail> {
    let controller = controller(request.cx)?;
    let mut skip = request.flag("skip", false);
    let mut candidates = Vec::new();
    let files = words(request, request.option("files"), &[',', ';'])?;
    let paths = words(request, request.option("paths"), &[',', ':', ';'])?;
    within(&files, &paths, &mut candidates);
    for term in &request.terms {
        let terms = match term {
            Val::List(_) | Val::Tuple(_) => request.cx.items(term)?,
            other => vec![other.clone()],
        };
        for term in terms {
            if !term.is_mapping() {
                within(
                    &words(request, Some(&term), &[',', ';'])?,
                    &paths,
                    &mut candidates,
                );
                continue;
            }
            let member = |name: &str| {
                let found = request.cx.item(&term, &Val::str(name))?;
                Ok::<_, Fail>(Some(found).filter(|found| !found.is_undefined() && !found.is_none()))
            };
            let own = words(request, member("paths")?.as_ref(), &[',', ':', ';'])?;
            within(
                &words(request, member("files")?.as_ref(), &[',', ';'])?,
                &own,
                &mut candidates,
            );
            if let Some(yes) = member("skip")? {
                skip = python::truth(&yes);
            }
        }
    }
    for candidate in candidates {
        if let Some(found) = controller.find(&candidate, None) {
            return Ok(vec![Val::from(found)]);
        }
    }
    if skip {
        return Ok(Vec::new());
    }
    fail("No file was found when using first_found.")
}

fn within(files: &[String], paths: &[String], candidates: &mut Vec<String>) {
    if paths.is_empty() {
        candidates.extend(files.iter().cloned());
    }
    for path in paths {
        candidates.extend(files.iter().map(|file| match file.starts_with('/') {
            true => file.clone(),
            false => format!("{}/{file}", path.trim_end_matches('/')),
        }));
    }
}

/// A list of names, or one text with marks between them.
fn words(request: &Request<'_>, value: Option<&Val>, marks: &[char]) -> Result<Vec<String>, Fail> {
    let mut found = Vec::new();
    match value {
        None => {}
        Some(Val::Str(text)) => {
            let parts = text.split(marks).map(str::trim);
            found.extend(parts.filter(|part| !part.is_empty()).map(str::to_owned));
        }
        Some(list) => {
            for item in request.cx.items(list)? {
                found.extend(words(request, Some(&item), marks)?);
            }
        }
    }
    Ok(found)
}

fn template(request: &Request<'_>) -> Result<Vec<Val>, Fail> {
    let mut names = Vec::new();
    if let Some(given) = request.option("template_vars") {
        for (name, value) in python::pairs_of(request.cx, given)? {
            names.push((python::text(&name)?, value));
        }
    }
    let mut options = TextOptions {
        trim_blocks: request.flag("trim_blocks", true),
        lstrip_blocks: request.flag("lstrip_blocks", false),
        ..TextOptions::default()
    };
    let marks = [
        ("variable_start_string", &mut options.variable_start),
        ("variable_end_string", &mut options.variable_end),
        ("comment_start_string", &mut options.comment_start),
        ("comment_end_string", &mut options.comment_end),
    ];
    for (name, mark) in marks {
        if let Some(given) = request.text(name)? {
            *mark = given;
        }
    }
    let form = Form::File(options);
    let mut found = Vec::new();
    for name in request.texts()? {
        let text = request.cx.scope.template(&name).map_err(failure)?;
        let Some((_, text)) = text else {
            return fail(format!(
                "the template file {name} could not be found for the lookup"
            ));
        };
        let run = request.cx.run;
        let rendered = run.deeper(|| request.cx.template_with(&text, &form, names.clone()));
        found.push(rendered.map_err(|mut error| {
            error.place = None;
            error
                .origin
                .get_or_insert_with(|| format!("template `{name}`"));
            error
        })?);
    }
    Ok(found)
}

/// `term key=value key=value`: the old way to give options.
pub(super) fn old_options(term: &str) -> (Arc<str>, Vec<(String, String)>) {
    let mut words = Vec::new();
    let mut options = Vec::new();
    for word in term.split_whitespace() {
        match word.split_once('=') {
            Some((key, value))
                if !words.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_') =>
            {
                options.push((key.to_owned(), value.trim_matches(['"', '\'']).to_owned()));
            }
            _ => words.push(word),
        }
    }
    (Arc::from(words.join(" ")), options)
}
