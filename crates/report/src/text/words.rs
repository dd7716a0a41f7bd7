//! Objects, edges and places of a heap in few words. Names come from the service's memory: whatever would
//! disturb a terminal is taken out of them.

use leakline_analysis::views::{EdgeRow, Holder, ObjectRow};
use leakline_analysis::{ObjectRef, SourceLocation};

/// A text on one line, without control characters and without those that change the direction or cannot be
/// seen; cut behind `max` characters.
pub(super) fn clean(text: &str, max: usize) -> String {
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if i == max {
            out.push('…');
            break;
        }
        let harmful = c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        out.push(if harmful { ' ' } else { c });
    }
    out
}

/// What an object is called: a text in quotes, a function with parentheses, else its name.
pub(super) fn name(object: &ObjectRef, max: usize) -> String {
    match (object.kind, object.name.as_str()) {
        ("string" | "concatenated string" | "sliced string", text) => {
            format!("\"{}\"", clean(text, max.saturating_sub(2)))
        }
        ("closure", "") => "(closure)".into(),
        ("closure", name) => format!("{}()", clean(name, max.saturating_sub(2))),
        ("synthetic", "") => "(root)".into(),
        (kind, "") => format!("({kind})"),
        (_, name) => clean(name, max),
    }
}

/// The same with the object's id.
pub(super) fn named(object: &ObjectRef, max: usize) -> String {
    format!("{} {}", name(object, max), object.id)
}

/// An object by its class where that says more than its name: `{token, user} @17`.
pub(super) fn shown(row: &ObjectRow, max: usize) -> String {
    if row.object.name == "Object" && row.object.kind == "object" {
        return format!("{} {}", clean(&row.class, max), row.object.id);
    }
    named(&row.object, max)
}

/// An edge with its type, as in retaining paths: `property _events`.
pub(super) fn edge(kind: &str, name: &str, max: usize) -> String {
    clean(&format!("{kind} {name}"), max)
}

/// The cells of an edge and what it leads to.
pub(super) fn edge_cells(row: &EdgeRow) -> [String; 2] {
    [edge(row.edge_type, &row.edge, 60), shown(&row.object, 26)]
}

/// `4`, or `-` where there is none.
pub(super) fn distance(row: &ObjectRow) -> String {
    row.distance.map_or_else(|| "-".into(), |d| d.to_string())
}

/// `/srv/app.js:14:3`; of a long path the end, from a folder on where that fits.
pub(super) fn place(at: &SourceLocation, max: usize) -> String {
    let whole = clean(&format!("{}:{}:{}", at.file, at.line, at.column), usize::MAX);
    let length = whole.chars().count();
    if length <= max {
        return whole;
    }
    let end: String = whole.chars().skip((length + 1).saturating_sub(max)).collect();
    match end.find(['/', '\\']) {
        Some(folder) => format!("…{}", &end[folder..]),
        None => format!("…{end}"),
    }
}

/// A function and where it is written.
pub(super) fn function(name: &str, at: Option<&SourceLocation>, max: usize) -> String {
    let name = if name.is_empty() { "(anonymous)".into() } else { clean(name, max * 2 / 3) };
    let Some(at) = at else { return name };
    let room = max.saturating_sub(name.chars().count() + 1).max(8);
    format!("{name} {}", place(at, room))
}

/// The name by which an object is held: `variable sessions`, `host of {host, connection}`.
pub(super) fn held_as(held: Option<&Holder>) -> String {
    let Some(held) = held else { return "-".into() };
    let edge = clean(&held.edge, 24);
    let owner = match (held.owner.kind, held.owner.name.as_str()) {
        ("object", "Object") => clean(&held.owner_class, 24),
        _ => name(&held.owner, 24),
    };
    match held.edge_type {
        "context" => format!("variable {edge}"),
        "property" => format!("{edge} of {owner}"),
        _ => format!("{edge} in {owner} {}", held.owner.id),
    }
}

/// `37 %`
pub(super) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".into();
    }
    let share = part as f64 * 100.0 / whole as f64;
    if share > 0.0 && share < 1.0 { "<1 %".into() } else { format!("{share:.0} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_disturb_a_terminal() {
        assert_eq!(clean("a\u{1b}[31m\n\u{202e}b", 20), "a [31m  b");
        assert_eq!(clean("abcdef", 3), "abc…");
        let object = ObjectRef { id: "@7".into(), name: "x\ty".into(), kind: "string" };
        assert_eq!(named(&object, 20), "\"x y\" @7");
    }

    #[test]
    fn of_a_long_path_the_end_is_shown() {
        let at = SourceLocation { file: "/srv/shop/routes/items.js".into(), line: 12, column: 3 };
        assert_eq!(place(&at, 40), "/srv/shop/routes/items.js:12:3");
        assert_eq!(place(&at, 28), "…/shop/routes/items.js:12:3");
        assert_eq!(place(&at, 22), "…/routes/items.js:12:3");
        assert_eq!(place(&at, 21), "…/items.js:12:3");
        assert_eq!(place(&at, 11), "…ms.js:12:3");
    }

    #[test]
    fn shares_read_well() {
        assert_eq!(
            [percent(0, 9), percent(1, 900), percent(1, 3), percent(1, 0)],
            ["0 %", "<1 %", "33 %", "-"]
        );
    }
}
