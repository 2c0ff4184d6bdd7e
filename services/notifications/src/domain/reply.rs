//! What a reply to our texts asks for (47 CFR 64.1200(a)(10)): any clear word for an end is one.

/// What it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// No texts any more.
    Stop,
    /// Texts again.
    Start,
    /// Who we are.
    Help,
}

/// Words that end texts.
const STOP: [&str; 13] = [
    "STOP",
    "STOPALL",
    "QUIT",
    "END",
    "REVOKE",
    "OPTOUT",
    "CANCEL",
    "UNSUBSCRIBE",
    "PARAR",
    "PARE",
    "ALTO",
    "BAJA",
    "CANCELAR",
];
/// Words that begin them again.
const START: [&str; 7] = ["START", "UNSTOP", "YES", "SI", "SÍ", "COMENZAR", "EMPEZAR"];
/// Words that ask who we are.
const HELP: [&str; 3] = ["HELP", "INFO", "AYUDA"];
/// Words in longer texts that clearly want an end.
const WANTS_AN_END: [&str; 9] = [
    "STOP",
    "UNSUBSCRIBE",
    "OPT OUT",
    "OPTOUT",
    "NO MORE TEXTS",
    "NO MORE MESSAGES",
    "NO MAS MENSAJES",
    "NO MÁS MENSAJES",
    "DO NOT TEXT",
];

/// What a text asks for, whatever its case, blanks and marks; none where it says something else, which nobody reads.
pub(crate) fn reply(text: &str) -> Option<Reply> {
    let mark = |letter: char| if letter.is_alphanumeric() { letter } else { ' ' };
    let plain: String = text.chars().take(320).flat_map(char::to_uppercase).map(mark).collect();
    let words = plain.split_whitespace().collect::<Vec<_>>();
    let (spaced, joined) = (words.join(" "), words.concat());
    let one_of = |list: &[&str]| list.contains(&joined.as_str());
    let wants_an_end =
        || WANTS_AN_END.iter().any(|phrase| format!(" {spaced} ").contains(&format!(" {phrase} ")));
    if one_of(&STOP) || wants_an_end() {
        Some(Reply::Stop)
    } else if one_of(&START) {
        Some(Reply::Start)
    } else if one_of(&HELP) {
        Some(Reply::Help)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_for_an_end_is_one_whatever_its_case_blanks_and_marks() {
        for word in STOP {
            for typed in [word.to_owned(), format!("  {} ", word.to_lowercase()), format!("\"{word}\"!")] {
                assert_eq!(reply(&typed), Some(Reply::Stop), "{typed}");
            }
        }
        for typed in [
            "Opt out",
            "opt-out",
            "please STOP texting me",
            "No more texts",
            "s t o p",
            "no más mensajes, por favor",
        ] {
            assert_eq!(reply(typed), Some(Reply::Stop), "{typed}");
        }
    }

    #[test]
    fn the_other_words_are_those_and_nothing_else_is_guessed() {
        for (typed, expected) in [
            ("Start", Some(Reply::Start)),
            ("sí", Some(Reply::Start)),
            ("unstop.", Some(Reply::Start)),
            ("help", Some(Reply::Help)),
            ("¿Ayuda?", Some(Reply::Help)),
            ("", None),
            ("When is my interview?", None),
            ("I want to start over", None),
            ("nonstop", None),
        ] {
            assert_eq!(reply(typed), expected, "{typed}");
        }
    }
}
