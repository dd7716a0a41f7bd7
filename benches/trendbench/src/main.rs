//! `trendbench`: the tables of the trend verdict.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing tables is what it does")]

use std::path::PathBuf;

use clap::Parser;
use leakline_trend::Verdict;
use leakline_trendbench::generate::{Cell, Purpose, generate};
use leakline_trendbench::{machines, measure, tables};

/// Measures the trend verdict on labelled series beside the rules in use.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct Args {
    /// Use the tuning seeds; without it the test seeds, whose figures are quoted.
    #[arg(long)]
    tuning: bool,
    /// Leaking series per cell.
    #[arg(long, default_value_t = 400)]
    leaking: u64,
    /// Healthy series.
    #[arg(long, default_value_t = 2400)]
    healthy: u64,
    /// Series for the coverage of intervals.
    #[arg(long, default_value_t = 1200)]
    coverage: u64,
    /// List each wrongly judged series.
    #[arg(long)]
    mistakes: bool,
    /// A folder of recorded series, such as the 55 machines: each alarm is listed.
    #[arg(long)]
    machines: Option<PathBuf>,
    /// Print one series as CSV instead: a cell of the five with leaks (0 to 4) or 5 for healthy, a colon, its
    /// index.
    #[arg(long, value_name = "CELL:INDEX")]
    show: Option<String>,
    /// Only the speed.
    #[arg(long)]
    speed: bool,
    /// Leave out delays and speed, which take long.
    #[arg(long)]
    quick: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let purpose = if args.tuning { Purpose::Tuning } else { Purpose::Test };
    if let Some(which) = &args.show {
        return show(purpose, which);
    }
    if args.speed {
        speed();
        return Ok(());
    }
    println!("seeds: {purpose:?}\n");

    let leaking: Vec<_> = tables::LEAKING
        .into_iter()
        .map(|cell| (cell, measure::run(purpose, cell, args.leaking)))
        .collect();
    let healthy = measure::run(purpose, Cell::Healthy, args.healthy);
    println!("Recall and false alarms\n\n{}", tables::recall(&leaking, &healthy));
    let barred: Vec<_> = leaking[..3].iter().flat_map(|(_, o)| o.iter().cloned()).collect();
    println!(
        "Leaks of the three bars found at a rate of false alarms\n\n{}",
        tables::roc(&barred, &healthy)
    );
    let barred_count = barred.len();
    let mut all = barred;
    all.extend(healthy);
    println!("Families (leaks of the three bars)\n\n{}", tables::families(&all));
    if args.mistakes {
        for (cell, outcomes) in &leaking {
            println!("Mistakes, {}\n\n{}", cell.name(), tables::mistakes(outcomes));
        }
        println!("False alarms\n\n{}", tables::mistakes(&all[barred_count..]));
    }

    let coverage = measure::run(purpose, Cell::Coverage, args.coverage);
    println!("Coverage of 95 % intervals\n\n{}", tables::coverage(&coverage));

    if let Some(folder) = &args.machines {
        let machines = machines::judge_folder(folder)?;
        println!("Recorded series: {}\n", machines.len());
        for machine in machines.iter().filter(|m| m.trend.verdict == Verdict::Leak) {
            let codes: Vec<&str> = machine.trend.reasons.iter().map(|r| r.code).collect();
            println!(
                "alarm: {} {:?} [{}]",
                machine.name,
                machine.trend.rate_bytes_per_hour,
                codes.join(" ")
            );
        }
        println!();
    }
    if args.quick {
        return Ok(());
    }

    let mib = 1_048_576.0;
    println!("Delay of a constant leak in 512 MiB, samples each 30 s, looked at twice an hour\n");
    for (rate, hours) in [(5.0, 24.0), (20.0, 12.0), (50.0, 6.0)] {
        let found = measure::delays(purpose, 512.0 * mib, rate * mib, hours, 30.0, 0.5, 40);
        println!("{rate} MiB/h: {}", tables::delays(&found));
    }
    let none = measure::delays(purpose, 512.0 * mib, 0.0, 24.0, 30.0, 0.5, 40);
    println!("no leak, same looks: {} of 40 alarmed\n", none.iter().flatten().count());
    speed();
    Ok(())
}

fn show(purpose: Purpose, which: &str) -> Result<(), Box<dyn std::error::Error>> {
    let (cell, index) = which.split_once(':').ok_or("a cell, a colon, an index")?;
    let cell = tables::LEAKING.get(cell.parse::<usize>()?).copied().unwrap_or(Cell::Healthy);
    let labelled = generate(purpose, cell, index.parse()?);
    eprintln!("{:?}", labelled.plan);
    eprintln!("{:#?}", leakline_trend::judge(&labelled.series));
    println!(
        "elapsed_s,rss,heapUsed,heapTotal,external,limit,requests,connections,gc_major_count,start_time"
    );
    for s in &labelled.series.samples {
        let field = |v: Option<u64>| v.map_or(String::new(), |v| v.to_string());
        let columns = [
            s.rss,
            s.heap_used,
            s.heap_total,
            s.external,
            s.limit,
            s.requests,
            s.connections,
            s.gc_major_count,
        ];
        let start = s.start_time.map_or(String::new(), |v| v.to_string());
        println!("{},{},{start}", s.elapsed_seconds, columns.map(field).join(","));
    }
    Ok(())
}

fn speed() {
    let (one, all) = measure::speed(10_000, 2880);
    println!(
        "10,000 series of 2,880 samples: {:.1} s on one core, {:.1} s on all",
        one.as_secs_f64(),
        all.as_secs_f64()
    );
}
