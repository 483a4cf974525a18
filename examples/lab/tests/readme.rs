//! The tour in the README says what happens.

#[allow(dead_code, reason = "shared with the other tests")]
mod common;

use common::Lab;

const README: &str = include_str!("../../../README.md");
const PROMPT: &str = "$ cargo run -q -p lab -- ";

/// Commands with what the page says that they print. What follows the edit of a source file is left to the end-to-end tests,
/// apart from the last command.
fn tour() -> Vec<(Vec<&'static str>, Vec<&'static str>)> {
    let all: Vec<_> = blocks(README).collect();
    let edit = README.find("Now change the text").unwrap();
    let before = blocks(&README[..edit]).count();
    assert!(before > 2 && all.len() > before);
    all[..before].iter().chain(all.last()).cloned().collect()
}

fn blocks(text: &'static str) -> impl Iterator<Item = (Vec<&'static str>, Vec<&'static str>)> {
    text.split(PROMPT).skip(1).map(|command| {
        let mut lines = command.lines().take_while(|line| *line != "```");
        (lines.next().unwrap_or_default().split(' ').collect(), lines.collect())
    })
}

/// A line without what differs each time: durations, numbers of runs, the token; and with one space between words.
fn lasting(line: &str) -> String {
    let mut before = "";
    let mut words = Vec::new();
    for word in line.split_whitespace() {
        let varies =
            (before == "in" && word.parse::<f64>().is_ok()) || before == "(run" || before == "token:";
        words.push(if varies { "*" } else { word });
        before = word;
    }
    words.join(" ")
}

/// Whether the lines are those of the page, where `…` stands for any.
fn same(page: &[&str], printed: &[&str]) -> bool {
    match page {
        [] => printed.is_empty(),
        ["…", page @ ..] => (0..=printed.len()).any(|skipped| same(page, &printed[skipped..])),
        [first, page @ ..] => {
            printed.first().is_some_and(|line| lasting(line) == lasting(first)) && same(page, &printed[1..])
        }
    }
}

#[test]
fn the_tour_is_true() {
    let lab = Lab::new();
    for (arguments, page) in tour() {
        let ran = lab.run(&arguments);
        // What is noted depends on the host and the user.
        let printed: Vec<_> = ran.out.lines().filter(|line| !line.starts_with("note: ")).collect();
        assert!(
            same(&page, &printed),
            "{arguments:?} printed\n{}\nthe README says\n{}",
            ran.out,
            page.join("\n")
        );
    }
    assert!(lab.left().is_empty(), "{:?}", lab.left());
}

#[test]
fn a_difference_is_seen() {
    assert!(same(&["a", "…", "x in 1.5 s (run 1)"], &["a", "b", "c", "x in  2 s (run 7)"]));
    assert!(!same(&["a", "…", "d"], &["a", "b", "c"]));
    assert!(!same(&["x in 1.5 s (run 1)"], &["y in 1.5 s (run 1)"]));
}
