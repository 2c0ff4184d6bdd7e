//! Names compared without case and marks, as signatures are (8 CFR 103.2(a)(2): the name as in the form).

use docket_kernel::identifier::name_match;

/// Whether two names are the same but for capitals, accents, hyphens, apostrophes and blanks.
pub fn same(a: &str, b: &str) -> bool {
    let (a, b) = (plain(a), plain(b));
    !a.is_empty() && a == b
}

/// The form for comparing; a hyphen is a blank, and blanks are single.
fn plain(name: &str) -> String {
    name_match(&name.replace('-', " ")).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_marks_and_blanks_do_not_matter_but_letters_do() {
        for (typed, form) in [
            ("maria GARCIA", "María García"),
            ("  Anna   Smith-Jones ", "Anna Smith Jones"),
            ("OBrien", "O’Brien"),
            ("Zoë", "Zoe\u{308}"),
            ("İpek", "ipek"),
        ] {
            assert!(same(typed, form), "{typed} / {form}");
        }
        for (typed, form) in
            [("Maria Garcia", "Mario Garcia"), ("", ""), ("Maria", "Maria Garcia"), ("-", "-")]
        {
            assert!(!same(typed, form), "{typed} / {form}");
        }
    }
}
