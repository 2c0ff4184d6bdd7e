//! What the interview itself says, in English and Spanish; what a form says comes from the service in the same language.

/// The words of one language. A word that a language lacks does not compile.
#[derive(Debug)]
pub struct Words {
    pub which_form: &'static str,
    pub begin_which: &'static str,
    pub how_to_answer: &'static str,
    pub saved: &'static str,
    pub answered_meanwhile: &'static str,
    pub ready: &'static str,
    pub may_stay_open: &'static str,
    pub is_there_one: &'static str,
    pub another_one: &'static str,
    /// Parts of an address, and what they are called.
    pub address: [(&'static str, &'static str); 7],
    /// Types of questions, and what can be typed.
    pub hints: &'static [(&'static str, &'static str)],
    pub yes: &'static [&'static str],
    pub no: &'static [&'static str],
    pub type_yes_or_no: &'static str,
    pub type_whole_number: &'static str,
    pub type_dollars: &'static str,
    /// The number of choices goes where `{}` stands.
    pub choose_one: &'static str,
}

static EN: Words = Words {
    which_form: "Which form do I need?",
    begin_which: "Begin which? (an empty line: none)",
    how_to_answer: "An empty line leaves a question open. ? says why it is asked, ! stops here: what is answered is saved.",
    saved: "saved",
    answered_meanwhile: "! Somebody else answered this meanwhile: {}. Yours was not saved.",
    ready: "Everything is there: it can be reviewed and signed.",
    may_stay_open: "You may leave this open.",
    is_there_one: "is there one to tell of?",
    another_one: "another one?",
    address: [
        ("line1", "street and number"),
        ("unit", "apartment, suite or floor"),
        ("city", "city"),
        ("state", "state (two letters; outside the United States leave it out)"),
        ("province", "province (outside the United States)"),
        ("postal_code", "ZIP or postal code"),
        ("country", "country (two letters, such as US)"),
    ],
    hints: &[
        ("yes_no", "yes or no"),
        ("check", "yes or no"),
        ("select", "a number or a word"),
        ("multi", "numbers or words, with commas between them"),
        ("int", "a whole number"),
        ("weight", "pounds"),
        ("money", "dollars, such as 1,250.50"),
        ("date", "a date, such as 1990-01-31"),
        ("partial_date", "a date, a month or a year: 1990-01-31, 1990-01, 1990"),
        ("country", "two letters, such as US"),
        ("us_state", "two letters, such as NY"),
        ("height", "such as 5'04\""),
        ("a_number", "such as A012345678"),
        ("receipt", "such as IOE0912345678"),
    ],
    yes: &["y", "yes"],
    no: &["n", "no"],
    type_yes_or_no: "Type yes or no.",
    type_whole_number: "Type a whole number.",
    type_dollars: "Type dollars, such as 1,250.50.",
    choose_one: "Choose one of 1 to {}, or type its word.",
};

static ES: Words = Words {
    which_form: "¿Qué formulario necesito?",
    begin_which: "¿Cuál desea empezar? (una línea vacía: ninguno)",
    how_to_answer: "Una línea vacía deja abierta la pregunta. ? dice por qué se pregunta, ! termina aquí: lo respondido está guardado.",
    saved: "guardado",
    answered_meanwhile: "! Mientras tanto, otra persona respondió a esto: {}. Lo suyo no se guardó.",
    ready: "Está todo: puede revisarse y firmarse.",
    may_stay_open: "Puede dejarla abierta.",
    is_there_one: "¿hay alguno que indicar?",
    another_one: "¿otro más?",
    address: [
        ("line1", "calle y número"),
        ("unit", "apartamento, oficina o piso"),
        ("city", "ciudad"),
        ("state", "estado (dos letras; fuera de los Estados Unidos, déjelo vacío)"),
        ("province", "provincia (fuera de los Estados Unidos)"),
        ("postal_code", "código postal"),
        ("country", "país (dos letras, como US)"),
    ],
    hints: &[
        ("yes_no", "sí o no"),
        ("check", "sí o no"),
        ("select", "un número o una palabra"),
        ("multi", "números o palabras, separados por comas"),
        ("int", "un número entero"),
        ("weight", "libras"),
        ("money", "dólares, como 1,250.50"),
        ("date", "una fecha (año-mes-día), como 1990-01-31"),
        ("partial_date", "una fecha, un mes o un año: 1990-01-31, 1990-01, 1990"),
        ("country", "dos letras, como US"),
        ("us_state", "dos letras, como NY"),
        ("height", "pies y pulgadas, como 5'04\""),
        ("a_number", "como A012345678"),
        ("receipt", "como IOE0912345678"),
    ],
    yes: &["s", "sí", "si", "yes"],
    no: &["n", "no"],
    type_yes_or_no: "Escriba sí o no.",
    type_whole_number: "Escriba un número entero.",
    type_dollars: "Escriba dólares, como 1,250.50.",
    choose_one: "Elija uno de 1 a {}, o escriba su palabra.",
};

impl Words {
    /// The words of a language; English where none or another than Spanish is asked for.
    pub fn of(language: &str) -> &'static Self {
        if language.split('-').next() == Some("es") { &ES } else { &EN }
    }

    /// What can be typed for a type of question, in a few words.
    pub fn hint(&self, kind: &str) -> &'static str {
        self.hints.iter().find(|(one, _)| *one == kind).map_or("", |(_, words)| words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_speak_of_the_same() {
        let (en, es) = (Words::of("en"), Words::of("es-MX"));
        let ids = |pairs: &[(&'static str, &str)]| pairs.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        assert_eq!(ids(en.hints), ids(es.hints));
        assert_eq!(ids(&en.address), ids(&es.address));
        for (one, other) in [(en.choose_one, es.choose_one), (en.answered_meanwhile, es.answered_meanwhile)] {
            assert!(one.contains("{}") && other.contains("{}"));
        }
        assert_ne!(en.how_to_answer, es.how_to_answer);
        assert_eq!(Words::of("").saved, en.saved);
    }
}
