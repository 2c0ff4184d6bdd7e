//! Names of files that people hand in, as the filing service takes them.

use crate::filing::v1::UploadHeader;

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || " ._()-".contains(c)
}

impl UploadHeader {
    /// The longest name of a file, in bytes.
    pub const LONGEST_NAME: usize = 120;

    /// Whether a file's name is taken as it is: letters A-Z, digits, blanks and a few signs, with no period before them.
    pub fn takes_name(name: &str) -> bool {
        !name.is_empty()
            && name.len() <= Self::LONGEST_NAME
            && name.chars().all(is_allowed)
            && !name.starts_with('.')
    }

    /// The name of a file on somebody's device as it is taken: other characters become `_`.
    pub fn name_of(name: &str) -> String {
        let name: String = name.chars().map(|c| if is_allowed(c) { c } else { '_' }).collect();
        // Of a name that is too long, the end says more: its ending is there.
        let from = name.len().saturating_sub(Self::LONGEST_NAME);
        let name = name[from..].trim_start_matches(['.', ' ']).trim_end();
        if name.is_empty() { "file".to_owned() } else { name.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_such_as_are_taken() {
        let long = format!("{}.pdf", "ã".repeat(200));
        for (name, taken) in [
            ("green card (front).pdf", "green card (front).pdf"),
            ("Müller & José.pdf", "M_ller _ Jos_.pdf"),
            (".. .card.png ", "card.png"),
            ("", "file"),
            ("mother's card.jpg", "mother_s card.jpg"),
        ] {
            assert_eq!(UploadHeader::name_of(name), taken);
        }
        let long = UploadHeader::name_of(&long);
        assert!(long.len() == UploadHeader::LONGEST_NAME && long.ends_with("_.pdf"), "{long}");
        for name in ["Müller & José.pdf", ".. .card.png ", "", "/", "a\u{202e}fdp.exe", long.as_str()] {
            assert!(UploadHeader::takes_name(&UploadHeader::name_of(name)), "{name:?}");
        }
        assert!(!UploadHeader::takes_name("../card.png") && !UploadHeader::takes_name(""));
    }
}
