//! What Node.js was told on its command line and in `NODE_OPTIONS`, as far as it concerns the
//! inspector and SIGUSR1.
//!
//! Node.js reads `NODE_OPTIONS` first and the command line after it, so the latter wins, and it
//! takes `_` for `-` in names. Flags that make the signal dangerous are looked for in *every*
//! argument, also behind the script: a false refusal costs a question, the opposite costs a service.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The inspector's port unless told otherwise.
pub const DEFAULT_PORT: u16 = 9229;

/// Flags that take their value as the next argument. Only needed to find where Node.js's own
/// flags end; an unknown one ends them early, which is harmless (see the module's comment).
const WITH_VALUE: &[&str] = &[
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "-e",
    "--eval",
    "-p",
    "--print",
    "-C",
    "--conditions",
    "--env-file",
    "--env-file-if-exists",
    "--inspect-port",
    "--debug-port",
    "--heapsnapshot-signal",
    "--title",
    "--diagnostic-dir",
    "--stack-trace-limit",
    "--input-type",
    "--dns-result-order",
    "--unhandled-rejections",
    "--redirect-warnings",
    "--max-http-header-size",
    "--heapsnapshot-near-heap-limit",
    "--trace-event-categories",
    "--icu-data-dir",
    "--openssl-config",
    "--report-dir",
    "--report-directory",
    "--report-filename",
    "--report-signal",
    "--watch-path",
    "--localstorage-file",
    "--secure-heap",
    "--secure-heap-min",
    "--tls-cipher-list",
    "--disable-warning",
    "--allow-fs-read",
    "--allow-fs-write",
    "--max-old-space-size",
    "--max-semi-space-size",
];

/// What the flags say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFlags {
    /// `--inspect`, `--inspect-brk` or `--inspect-wait` was given: the inspector opens at start.
    pub inspector_at_start: bool,
    /// The host the inspector binds.
    pub host: IpAddr,
    /// The port the inspector binds; 0 lets the kernel choose.
    pub port: u16,
    /// Flags that forbid sending SIGUSR1, as written.
    pub forbids_signal: Vec<String>,
    /// The command line was overwritten by `process.title`, so its flags cannot be known.
    pub rewritten: bool,
}

impl NodeFlags {
    /// Reads the flags out of a command line and the value of `NODE_OPTIONS`.
    pub fn parse(command_line: &[String], node_options: Option<&str>) -> Self {
        let mut flags = Self {
            inspector_at_start: false,
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: DEFAULT_PORT,
            forbids_signal: Vec::new(),
            rewritten: is_rewritten(command_line),
        };
        let options = node_options.map(split_options).unwrap_or_default();
        let own = command_line.get(1..).unwrap_or_default();
        flags.read_inspector(&options);
        flags.read_inspector(own);
        for arguments in [&options[..], own] {
            flags.read_dangers(arguments);
        }
        flags
    }

    fn read_inspector(&mut self, arguments: &[String]) {
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            if !argument.starts_with('-') || argument == "--" || argument == "-" {
                return;
            }
            let (name, value) = name_and_value(argument);
            let takes_next = value.is_none() && WITH_VALUE.contains(&name.as_str());
            let value = if takes_next { rest.next().cloned() } else { value };
            match name.as_str() {
                "--inspect" | "--inspect-brk" | "--inspect-wait" => {
                    self.inspector_at_start = true;
                    self.read_host_port(value.as_deref());
                }
                "--inspect-port" | "--debug-port" => self.read_host_port(value.as_deref()),
                _ => {}
            }
        }
    }

    /// `PORT`, `HOST` or `HOST:PORT`, IPv6 in brackets.
    fn read_host_port(&mut self, value: Option<&str>) {
        let Some(value) = value.filter(|v| !v.is_empty()) else { return };
        if let Ok(port) = value.parse() {
            self.port = port;
            return;
        }
        let (host, port) = match value.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, port.parse().ok())
            }
            _ => (value, None),
        };
        if let Some(port) = port {
            self.port = port;
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        self.host = match bare {
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            "" => self.host,
            // A name that only a resolver knows: the port decides, any address fits.
            _ => bare.parse().unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        };
    }

    fn read_dangers(&mut self, arguments: &[String]) {
        let mut permission = None;
        let mut inspector_allowed = false;
        for (index, argument) in arguments.iter().enumerate() {
            let (name, value) = name_and_value(argument);
            match name.as_str() {
                "--disable-sigusr1" => self.forbids_signal.push(argument.clone()),
                "--heapsnapshot-signal" | "--report-signal" => {
                    let next = arguments.get(index + 1).cloned();
                    let value = value.or(next).unwrap_or_default();
                    if value.eq_ignore_ascii_case("SIGUSR1") {
                        self.forbids_signal.push(format!("{name}={value}"));
                    }
                }
                "--permission" | "--experimental-permission" => permission = Some(argument.clone()),
                "--allow-inspector" => inspector_allowed = true,
                _ => {}
            }
        }
        if let Some(flag) = permission.filter(|_| !inspector_allowed) {
            self.forbids_signal.push(flag);
        }
    }
}

/// `--name=value`, with `_` in the name read as `-`, as Node.js does.
fn name_and_value(argument: &str) -> (String, Option<String>) {
    let (name, value) = match argument.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (argument, None),
    };
    (name.replace('_', "-"), value)
}

/// `process.title = …` overwrites the arguments in place and fills the rest with zero bytes.
fn is_rewritten(command_line: &[String]) -> bool {
    match command_line {
        [] => true,
        [only] => only.contains(' '),
        [.., before, last] => before.is_empty() && last.is_empty(),
    }
}

/// Splits `NODE_OPTIONS` as Node.js does: at spaces, double quotes group, a backslash inside
/// quotes escapes.
fn split_options(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut current = None::<String>;
    let mut quoted = false;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if quoted => current.get_or_insert_default().extend(characters.next()),
            ' ' if !quoted => parts.extend(current.take()),
            '"' => {
                quoted = !quoted;
                current.get_or_insert_default();
            }
            other => current.get_or_insert_default().push(other),
        }
    }
    parts.extend(current);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(command: &str, options: Option<&str>) -> NodeFlags {
        let line: Vec<String> = command.split(' ').map(ToOwned::to_owned).collect();
        NodeFlags::parse(&line, options)
    }

    #[test]
    fn inspector_host_and_port() {
        let table: &[(&str, Option<&str>, bool, &str, u16)] = &[
            ("node app.js", None, false, "127.0.0.1", 9229),
            ("node --inspect app.js", None, true, "127.0.0.1", 9229),
            ("node --inspect=9300 app.js", None, true, "127.0.0.1", 9300),
            ("node --inspect=0.0.0.0:9301 app.js", None, true, "0.0.0.0", 9301),
            ("node --inspect=[::1]:9302 app.js", None, true, "::1", 9302),
            ("node --inspect=localhost app.js", None, true, "127.0.0.1", 9229),
            ("node --inspect_brk=1 app.js", None, true, "127.0.0.1", 1),
            ("node --inspect-port 9303 app.js", None, false, "127.0.0.1", 9303),
            ("node --debug-port=0 app.js", None, false, "127.0.0.1", 0),
            ("node -r ./x.js --inspect=7 app.js", None, true, "127.0.0.1", 7),
            ("node app.js --inspect=8", None, false, "127.0.0.1", 9229),
            ("node app.js", Some("--inspect=9304"), true, "127.0.0.1", 9304),
            ("node --inspect-port=9305 a", Some("--inspect=9304"), true, "127.0.0.1", 9305),
            ("node a", Some("--require \"a b.js\" --inspect-port=6"), false, "127.0.0.1", 6),
        ];
        for (command, options, start, host, port) in table {
            let found = flags(command, *options);
            assert_eq!(found.inspector_at_start, *start, "{command} {options:?}");
            assert_eq!(found.host.to_string(), *host, "{command} {options:?}");
            assert_eq!(found.port, *port, "{command} {options:?}");
        }
    }

    #[test]
    fn dangerous_flags_are_seen_wherever_they_stand() {
        for (command, options) in [
            ("node --heapsnapshot-signal=SIGUSR1 app.js", None),
            ("node --heapsnapshot-signal SIGUSR1 app.js", None),
            ("node --heapsnapshot_signal=SIGUSR1 app.js", None),
            ("node --disable-sigusr1 app.js", None),
            ("node --unknown value --disable-sigusr1 app.js", None),
            ("node --report-signal=SIGUSR1 app.js", None),
            ("node --permission app.js", None),
            ("node app.js", Some("--max-old-space-size=400 --heapsnapshot-signal=SIGUSR1")),
            ("node app.js", Some("\"--disable-sigusr1\"")),
        ] {
            assert_eq!(flags(command, options).forbids_signal.len(), 1, "{command} {options:?}");
        }
        for command in [
            "node --heapsnapshot-signal=SIGUSR2 app.js",
            "node --permission --allow-inspector app.js",
            "node app.js",
        ] {
            assert!(flags(command, None).forbids_signal.is_empty(), "{command}");
        }
    }

    #[test]
    fn a_rewritten_command_line_is_noticed() {
        let line = |parts: &[&str]| parts.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
        assert!(is_rewritten(&line(&["next-server (v15)", "", "", ""])));
        assert!(is_rewritten(&line(&["PM2 v5: God Daemon (/home/x/.pm2)"])));
        assert!(is_rewritten(&[]));
        assert!(!is_rewritten(&line(&["node", "app.js"])));
        assert!(!is_rewritten(&line(&["node", "-e", ""])));
    }

    #[test]
    fn options_are_split_like_node_does() {
        assert_eq!(split_options(r#"--a  "--b=c d" "x\"y" "#), ["--a", "--b=c d", "x\"y"]);
        assert!(split_options("  ").is_empty());
    }
}
