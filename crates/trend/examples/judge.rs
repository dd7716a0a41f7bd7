//! Prints the verdict on each file given: `cargo run -p leakline-trend --example judge -- FILE…`

#![allow(clippy::print_stdout, clippy::print_stderr)]

fn main() -> std::process::ExitCode {
    let mut failed = false;
    let verbose = std::env::args().any(|a| a == "-v");
    for file in std::env::args().skip(1).filter(|a| a != "-v") {
        let read = match std::fs::read(&file) {
            Ok(bytes) => leakline_trend::read(&bytes, &file, ""),
            Err(error) => {
                eprintln!("error: {file}: {error}");
                failed = true;
                continue;
            }
        };
        match read {
            Ok(series) => {
                for series in series {
                    let trend = leakline_trend::judge(&series);
                    let rate = trend.rate_bytes_per_hour;
                    let mib = |v: Option<f64>| {
                        v.map_or("inf".to_owned(), |v| format!("{:.1}", v / 1_048_576.0))
                    };
                    println!(
                        "{file} {:?} {:?} {:?} {} [{}, {}] MiB/h",
                        trend.verdict,
                        trend.confidence,
                        trend.place,
                        mib(Some(rate.estimate)),
                        mib(rate.low),
                        mib(rate.high)
                    );
                    if verbose {
                        for segment in &trend.segments {
                            println!("    {segment:?}");
                        }
                        for reason in &trend.reasons {
                            println!("    {}: {}", reason.code, reason.text);
                        }
                    }
                }
            }
            Err(error) => {
                eprintln!("error: {error}\nhint: {}", error.hint());
                failed = true;
            }
        }
    }
    std::process::ExitCode::from(u8::from(failed))
}
