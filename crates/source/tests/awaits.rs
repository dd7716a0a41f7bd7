//! Where an async function waits.

// A failed set-up may panic.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Service, source};
use leakline_source::{Certainty, Found, Question, answer};

fn waits(case: &str, words: &[&str], text: &str) -> Found {
    let service = Service::write(&[("app.js", text)]);
    let function = service.closure.clone().expect(case);
    let words = words.iter().map(|&word| word.to_owned()).collect();
    let found =
        answer(&source(), &Question::Awaits { function, words }, &service.files).expect(case);
    service.check(case, &found);
    found
}

#[test]
fn the_await_that_names_what_is_waited_for() {
    let cases: &[(&str, &[&str], &str)] = &[
        ("the only one", &[], "async function f§() {\n  await stopped; //=>\n}\n"),
        (
            "by a variable",
            &["stopped"],
            "async function f§() {\n  await open();\n  await stopped; //=>\n  await close();\n}\n",
        ),
        (
            "by a call under another name",
            &["setTimeout"],
            "const { setTimeout: sleep } = require('timers/promises');\nasync function f§() {\n  await open();\n  \
             await sleep(5); //=>\n}\n",
        ),
        (
            "by a helper",
            &["setTimeout"],
            "const sleep = (ms) => new Promise((ok) => setTimeout(ok, ms));\nasync function f§() {\n  await open();\n  \
             await sleep(5); //=>\n}\n",
        ),
        (
            "a loop over what comes",
            &["on"],
            "async function f§() {\n  for await (const x of on(bus, 'row')) { //=>\n    await use(x);\n  }\n}\n",
        ),
        (
            "not that of a function inside",
            &["stopped"],
            "async function f§() {\n  const g = async () => { await stopped; };\n  await stopped; //=>\n}\n",
        ),
    ];
    for (case, words, text) in cases {
        let found = waits(case, words, text);
        assert_eq!(found.certainty, Certainty::Derived, "{case}: {}", found.how);
    }
}

#[test]
fn of_several_that_name_nothing_one_is_a_guess() {
    let found =
        waits("no name", &[], "async function f§() {\n  await open(); //=>\n  await close();\n}\n");
    assert_eq!(found.certainty, Certainty::Likeliest);
}

#[test]
fn a_function_that_awaits_nothing_is_shown_itself() {
    waits("no await", &["x"], "const f = §() => new Promise(() => {}); //=>\n");
}
