//! Writing of WS-Management envelopes (DSP0226; MS-WSMV 2.2.4): text that the XML writer makes safe.
//! It knows the shape of a message, not what operations there are.

use std::fmt::Write as _;
use std::time::Duration;

use crate::event::{ErrorKind, HostError};

/// The namespaces, under the prefixes that the writer uses.
const NAMESPACES: &str = concat!(
    r#"xmlns:s="http://www.w3.org/2003/05/soap-envelope" "#,
    r#"xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" "#,
    r#"xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" "#,
    r#"xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd" "#,
    r#"xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell""#
);

/// What stands in the head of every request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'a> {
    /// What to do: a URI.
    pub(super) action: &'a str,
    /// With what: a URI.
    pub(super) resource: &'a str,
    /// The address of the service.
    pub(super) to: &'a str,
    /// This message's own name: `uuid:...`.
    pub(super) message_id: &'a str,
    /// How long the host may take before it says that nothing came.
    pub(super) timeout: Duration,
    /// How long the answer may be, in bytes.
    pub(super) max_envelope: usize,
    /// Settings of the operation.
    pub(super) options: &'a [(&'a str, &'a str)],
    /// Which shell.
    pub(super) shell: Option<&'a str>,
}

/// A whole request. `body` writes what is in the body.
pub(super) fn envelope(head: &Head<'_>, body: impl FnOnce(&mut String)) -> String {
    let mut out = String::with_capacity(2048);
    let _ = write!(out, "<s:Envelope {NAMESPACES}><s:Header><a:To>");
    escape(&mut out, head.to);
    let _ = write!(
        out,
        concat!(
            "</a:To><a:ReplyTo><a:Address s:mustUnderstand=\"true\">",
            "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>",
            "<a:Action s:mustUnderstand=\"true\">{}</a:Action>",
            "<a:MessageID>{}</a:MessageID>",
            "<w:ResourceURI s:mustUnderstand=\"true\">{}</w:ResourceURI>",
            "<w:MaxEnvelopeSize s:mustUnderstand=\"true\">{}</w:MaxEnvelopeSize>",
            "<w:OperationTimeout>PT{}.{:03}S</w:OperationTimeout>",
            "<w:Locale s:mustUnderstand=\"false\" xml:lang=\"en-US\"/>",
            "<p:DataLocale s:mustUnderstand=\"false\" xml:lang=\"en-US\"/>",
        ),
        head.action,
        head.message_id,
        head.resource,
        head.max_envelope,
        head.timeout.as_secs(),
        head.timeout.subsec_millis(),
    );
    if let Some(shell) = head.shell {
        out.push_str("<w:SelectorSet><w:Selector Name=\"ShellId\">");
        escape(&mut out, shell);
        out.push_str("</w:Selector></w:SelectorSet>");
    }
    if !head.options.is_empty() {
        out.push_str("<w:OptionSet s:mustUnderstand=\"true\">");
        for (name, value) in head.options {
            let _ = write!(out, "<w:Option Name=\"{name}\">{value}</w:Option>");
        }
        out.push_str("</w:OptionSet>");
    }
    out.push_str("</s:Header><s:Body>");
    body(&mut out);
    out.push_str("</s:Body></s:Envelope>");
    out
}

/// Text for an element or an attribute. A carriage return must be a reference: readers of XML make
/// newlines of bare ones, and spaces of newlines and tabs in attributes (XML 1.0, 2.11 and 3.3.3).
pub(super) fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            other => out.push(other),
        }
    }
}

/// Refuses text that XML 1.0 has no way to carry (2.2), rather than change it.
pub(super) fn fits<'a>(text: &'a str, what: &str) -> Result<&'a str, HostError> {
    let stranger = text.chars().find(|c| {
        matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
    });
    match stranger {
        None => Ok(text),
        Some(c) => Err(HostError::new(
            ErrorKind::Arguments,
            format!(
                "{what} holds the character U+{:04X}, which WinRM can't carry",
                u32::from(c)
            ),
        )
        .hint("give such text by standard input, or in a script")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reaches_the_host_as_it_is() {
        let mut out = String::new();
        escape(&mut out, "a<b & \"c\">\r\n\t中文");
        assert_eq!(out, "a&lt;b &amp; &quot;c&quot;&gt;&#13;&#10;&#9;中文");
    }

    #[test]
    fn what_xml_cannot_carry_is_refused_and_named() {
        assert!(fits("tab\t, newline\n, 中文 and 😀 are fine", "the command").is_ok());
        for stranger in ["\0", "\u{1b}[0m", "\u{ffff}"] {
            let error = fits(stranger, "the command").unwrap_err();
            assert_eq!(error.kind, ErrorKind::Arguments);
            assert!(
                error
                    .message
                    .starts_with("the command holds the character U+")
            );
        }
    }
}
