//! Ctrl-C while a file is read or a heap analysed: an answer at once, and nothing left behind.
//!
//! The commands on live targets listen for themselves, since they have something to keep and to close. Here
//! nothing has been learnt yet that would be worth keeping; the one thing on disk is an index that is being
//! written, and that has no name before it is complete (where the file system cannot do that, it is removed).

use std::sync::atomic::{AtomicBool, Ordering};

use leakline_investigate::discard_unfinished_index;

use crate::commands::interrupted;
use crate::error::CliError;
use crate::exit;
use crate::output::Output;

/// The answer is being printed: half of it and an error after it would be no JSON.
static ANSWERING: AtomicBool = AtomicBool::new(false);

/// From now on an interruption says nothing on stdout.
pub fn answering() {
    ANSWERING.store(true, Ordering::Relaxed);
}

/// Ends the program with 130 when somebody asks it to end. A program that cannot listen for signals ends by
/// them as ever.
pub fn end_on_signal(output: Output) {
    let listen = move || {
        // One thread: nothing else runs here than the wait.
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        runtime.block_on(async { interrupted().await });
        discard_unfinished_index();
        if output.draws() {
            // What is drawn of the progress would stand before the error.
            let _ = crate::progress::clear_line();
        }
        let answering = ANSWERING.load(Ordering::Relaxed);
        let output = if answering { output.without_json() } else { output };
        output.error(&CliError::interrupted());
        std::process::exit(i32::from(exit::INTERRUPTED));
    };
    // Without the thread the signal keeps its default action, which ends the program as well.
    let _ = std::thread::Builder::new().name("signals".into()).spawn(listen);
}
