//! A source map's JSON, and the comment that names it.

use serde::Deserialize;

use super::mappings::{self, Segment};

/// Why a source map cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// It is no JSON, or not that of a source map.
    #[error("it is no source map: line {line}, column {column}")]
    Json {
        /// Line of the JSON text, 1-based.
        line: usize,
        /// Column of the JSON text.
        column: usize,
    },
    /// Neither `mappings` nor `sections`.
    #[error("it has no mappings")]
    NoMappings,
    /// The mappings break off before the place asked for.
    #[error("its mappings are broken at byte {at}")]
    Mappings {
        /// The byte of `mappings`.
        at: usize,
    },
    /// A segment names a source that the map does not list.
    #[error("it names source number {index}, but lists {count}")]
    Source {
        /// The source's index.
        index: u32,
        /// How many there are.
        count: usize,
    },
    /// The part of an index map for the place is another file.
    #[error("the part for this place is another file, {url}")]
    Section {
        /// The name of that file.
        url: String,
    },
    /// A `data:` URL that is no Base64 or percent-encoded text.
    #[error("its data: URL cannot be decoded")]
    DataUrl,
}

/// A source map, regular or in sections.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    /// In order of where they start.
    sections: Vec<Section>,
}

#[derive(Debug, Clone, Default)]
struct Section {
    line: u32,
    column: u32,
    map: Regular,
    /// It is in another file.
    url: Option<String>,
}

/// The JSON object, as far as it is used.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Regular {
    source_root: Option<String>,
    sources: Vec<Option<String>>,
    sources_content: Option<Vec<Option<String>>>,
    names: Vec<String>,
    mappings: Option<String>,
    sections: Option<Vec<RawSection>>,
}

#[derive(Debug, Clone, Deserialize)]
struct RawSection {
    offset: Offset,
    #[serde(default)]
    map: Option<Regular>,
    #[serde(default)]
    url: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Offset {
    line: u32,
    column: u32,
}

/// A place before compilation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Original<'m> {
    /// The map's `sourceRoot`, which goes before the source.
    pub root: Option<&'m str>,
    /// The source as the map names it; `None` if the map has no name for it.
    pub source: Option<&'m str>,
    /// Its text, if the map carries it.
    pub content: Option<&'m str>,
    /// Line, 1-based.
    pub line: u32,
    /// Column, 1-based, in UTF-16 units.
    pub column: u32,
    /// What the name at this place was before compilation.
    pub name: Option<&'m str>,
}

impl SourceMap {
    /// Reads the JSON. A byte order mark and the line `)]}'`, which keeps browsers from running it,
    /// may come first.
    pub fn parse(bytes: &[u8]) -> Result<SourceMap, MapError> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let bytes = match bytes.strip_prefix(b")]}") {
            Some(rest) => {
                let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                &rest[end..]
            }
            None => bytes,
        };
        // The reader's own words may quote the text, and the file may be any file of the machine.
        let whole: Regular = serde_json::from_slice(bytes)
            .map_err(|e| MapError::Json { line: e.line(), column: e.column() })?;
        let mut sections = Vec::new();
        // A section may not have sections in turn, but a map made by hand may; they nest no deeper
        // than the JSON reader allows.
        let mut todo = vec![Section { map: whole, ..Section::default() }];
        while let Some(mut section) = todo.pop() {
            let Some(parts) = section.map.sections.take() else {
                sections.push(section);
                continue;
            };
            for part in parts {
                let Offset { line, column } = part.offset;
                let column = if line == 0 { section.column.saturating_add(column) } else { column };
                todo.push(Section {
                    line: section.line.saturating_add(line),
                    column,
                    map: part.map.unwrap_or_default(),
                    url: part.url,
                });
            }
        }
        if !sections.iter().any(|it| it.map.mappings.is_some() || it.url.is_some()) {
            return Err(MapError::NoMappings);
        }
        sections.sort_by_key(|section| (section.line, section.column));
        Ok(SourceMap { sections })
    }

    /// Where a place of the generated file (1-based, UTF-16 units) was before compilation; `None`
    /// for code that the compiler added.
    pub fn lookup(&self, line: u32, column: u32) -> Result<Option<Original<'_>>, MapError> {
        let Some((section, line, column)) = self.section(line, column) else { return Ok(None) };
        if let Some(url) = &section.url {
            return Err(MapError::Section { url: url.clone() });
        }
        let map = &section.map;
        let Segment { original, name, .. } =
            match mappings::covering(map.mapping_bytes(), line, column) {
                Ok(Some(segment)) => segment,
                Ok(None) => return Ok(None),
                Err(broken) => return Err(MapError::Mappings { at: broken.at }),
            };
        let Some((index, line, column)) = original else { return Ok(None) };
        let Some(source) = map.sources.get(index as usize) else {
            return Err(MapError::Source { index, count: map.sources.len() });
        };
        let contents = map.sources_content.as_deref().unwrap_or_default();
        Ok(Some(Original {
            root: map.source_root.as_deref().filter(|root| !root.is_empty()),
            source: source.as_deref(),
            content: contents.get(index as usize).and_then(Option::as_deref),
            line: line.saturating_add(1),
            column: column.saturating_add(1),
            name: name.and_then(|name| map.names.get(name as usize)).map(String::as_str),
        }))
    }

    /// The names before compilation of what stands in a part of a line, as 1-based column and name.
    #[must_use]
    pub fn names(&self, line: u32, columns: std::ops::Range<u32>) -> Vec<(u32, &str)> {
        let Some((section, line, from)) = self.section(line, columns.start) else {
            return Vec::new();
        };
        // By how much the section's own columns differ.
        let shift = columns.start.saturating_sub(1).saturating_sub(from);
        let to = columns.end.saturating_sub(1).saturating_sub(shift);
        mappings::names_in(section.map.mapping_bytes(), line, from..to)
            .into_iter()
            .filter_map(|(column, name)| {
                let name = section.map.names.get(name as usize)?;
                Some((column.saturating_add(shift).saturating_add(1), name.as_str()))
            })
            .collect()
    }

    /// The section of a place, and the 0-based place in it.
    fn section(&self, line: u32, column: u32) -> Option<(&Section, u32, u32)> {
        let (line, column) = (line.checked_sub(1)?, column.checked_sub(1)?);
        let after = self
            .sections
            .partition_point(|section| (section.line, section.column) <= (line, column));
        let section = self.sections.get(after.checked_sub(1)?)?;
        let column = if line == section.line { column - section.column } else { column };
        Some((section, line - section.line, column))
    }
}

impl Regular {
    fn mapping_bytes(&self) -> &[u8] {
        self.mappings.as_deref().unwrap_or_default().as_bytes()
    }
}

/// The source map that a script's text names in a comment, the last one if there are several:
/// `//# sourceMappingURL=…`, the older `//@`, and the form in `/* */`.
#[must_use]
pub fn map_reference(text: &str) -> Option<&str> {
    const WORD: &[u8] = b"sourceMappingURL=";
    let finder = memchr::memmem::FinderRev::new(WORD);
    let bytes = text.as_bytes();
    for at in finder.rfind_iter(bytes) {
        let before = bytes[..at].trim_ascii_end();
        let is_comment =
            [b"//#", b"//@", b"/*#", b"/*@"].iter().any(|start| before.ends_with(&start[..]));
        // Exactly one blank in the standard; some tools write more or none.
        if !is_comment || at - before.len() > 2 {
            continue;
        }
        let rest = text.get(at + WORD.len()..)?;
        let end = rest.find(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(rest.len());
        let line = rest.get(..end)?.trim_end();
        let (url, tail) = match line.find("*/") {
            Some(close) if before.ends_with(b"*#") || before.ends_with(b"*@") => {
                (line[..close].trim_end(), "")
            }
            _ => line.split_once([' ', '\t']).unwrap_or((line, "")),
        };
        // A program that writes such comments has the text in its strings.
        if !url.is_empty() && tail.trim().is_empty() && !url.contains(['"', '\'', '`', '\\']) {
            return Some(url);
        }
    }
    None
}

/// What a `data:` URL holds.
pub(super) fn data_url(url: &str) -> Option<Vec<u8>> {
    let (kind, data) = url.strip_prefix("data:")?.split_once(',')?;
    if kind.trim_end().ends_with(";base64") { base64(data) } else { Some(unescaped(data)) }
}

/// Base64 in either alphabet, padded or not.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let mut held = 0_u32;
    let mut bits = 0;
    let text = unescaped(text);
    for &byte in text.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        if byte == b'=' {
            break;
        }
        let digit = match byte {
            b'-' => 62,
            b'_' => 63,
            byte => mappings::digit(byte)?,
        };
        held = held << 6 | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    Some(out)
}

/// `%41` to `A`; what is no such code stays.
pub(crate) fn unescaped(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|&byte| (byte as char).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comment_that_names_the_map() {
        for (text, url) in [
            ("a();\n//# sourceMappingURL=a.js.map", Some("a.js.map")),
            ("a();\n//# sourceMappingURL=a.js.map\n\n", Some("a.js.map")),
            ("a();\n//@ sourceMappingURL=old.map\r\n", Some("old.map")),
            ("a();/*# sourceMappingURL=b.map */", Some("b.map")),
            ("//# sourceMappingURL=1.map\na();\n//# sourceMappingURL=2.map\n", Some("2.map")),
            ("w('//# sourceMappingURL=' + name);", None),
            ("//# sourceMappingURL=1.map\nw('//# sourceMappingURL=x.map');", Some("1.map")),
            ("// sourceMappingURL=a.map", None),
            ("//# sourceMappingURL=", None),
            ("", None),
        ] {
            assert_eq!(map_reference(text), url, "{text:?}");
        }
    }

    #[test]
    fn data_urls() {
        let read = |url| data_url(url).and_then(|it| String::from_utf8(it).ok());
        let text = |it: &str| Some(it.to_owned());
        assert_eq!(read("data:application/json;base64,eyJhIjoxfQ=="), text("{\"a\":1}"));
        assert_eq!(
            read("data:application/json;charset=utf-8;base64,eyJhIjoxfQ"),
            text("{\"a\":1}")
        );
        assert_eq!(read("data:application/json,%7B%22a%22%3A1%7D"), text("{\"a\":1}"));
        assert_eq!(read("data:application/json;base64,!!"), None);
        assert_eq!(read("data:nothing"), None);
    }

    #[test]
    fn sections_shift_places() {
        let map = br#"{"version":3,"sections":[
            {"offset":{"line":0,"column":10},"map":{"version":3,"sources":["a.ts"],"names":["n"],"mappings":"AAAAA;AACA"}},
            {"offset":{"line":5,"column":0},"map":{"version":3,"sources":["b.ts"],"sourcesContent":["text"],"sourceRoot":"src","names":[],"mappings":";EAEE"}},
            {"offset":{"line":9,"column":0},"url":"c.map"}]}"#;
        let map = SourceMap::parse(map).expect("a source map");
        let at = |line, column| {
            let found = map.lookup(line, column)?;
            Ok(found.map(|it| (it.source.unwrap_or("").to_owned(), it.line, it.column)))
        };
        assert_eq!(at(1, 1), Ok(None));
        assert_eq!(at(1, 11), Ok(Some(("a.ts".into(), 1, 1))));
        assert_eq!(at(2, 1), Ok(Some(("a.ts".into(), 2, 1))));
        assert_eq!(at(7, 3), Ok(Some(("b.ts".into(), 3, 3))));
        assert_eq!(at(10, 1), Err(MapError::Section { url: "c.map".into() }));
        assert_eq!(map.names(1, 1..30), []);
        assert_eq!(map.names(1, 11..30), [(11, "n")]);
        let original = map.lookup(7, 3).expect("mappings").expect("a segment");
        assert_eq!((original.root, original.content), (Some("src"), Some("text")));
    }

    #[test]
    fn what_is_no_map_says_so() {
        let parse = |text: &str| SourceMap::parse(text.as_bytes()).err();
        assert_eq!(parse(""), Some(MapError::Json { line: 1, column: 0 }));
        assert!(matches!(parse("{\"mappings\": 1}"), Some(MapError::Json { line: 1, .. })));
        assert_eq!(parse("{}"), Some(MapError::NoMappings));
        assert_eq!(parse("{\"sections\": []}"), Some(MapError::NoMappings));
        assert_eq!(parse(")]}'\n{\"mappings\":\"\",\"sources\":[null]}"), None);
        let map = SourceMap::parse(b"{\"mappings\":\"ACAA\",\"sources\":[\"a\"]}").expect("a map");
        assert_eq!(map.lookup(1, 1), Err(MapError::Source { index: 1, count: 1 }));
    }
}
