//! What commands say to a party beside the interview: the English words stand in the commands, and here what they are in Spanish.

/// English words in a language; the same where none or another than Spanish is asked for.
pub fn said(language: &str, english: &'static str) -> &'static str {
    if language.split('-').next() != Some("es") {
        return english;
    }
    SPANISH.iter().find(|(one, _)| *one == english).map_or(english, |(_, spanish)| spanish)
}

/// The same, with what goes where each `{}` stands.
pub fn filled(language: &str, english: &'static str, parts: &[&dyn std::fmt::Display]) -> String {
    let mut pieces = said(language, english).split("{}");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    let mut parts = parts.iter();
    // Between the pieces, since a part may have the two signs in it: a file can be called so.
    for piece in pieces {
        text += &parts.next().map_or_else(|| "{}".to_owned(), ToString::to_string);
        text += piece;
    }
    text
}

/// What goes where a `{}` stands keeps its order.
static SPANISH: &[(&str, &str)] = &[
    // Accounts and sessions.
    ("password: ", "contraseña: "),
    ("code from the authenticator: ", "código del autenticador: "),
    ("signed in as {}", "sesión iniciada como {}"),
    ("the second factor holds for ten minutes", "el segundo factor vale por diez minutos"),
    (
        "refused; perhaps this code was used already: waiting {} s for the next one",
        "rechazado; quizá este código ya se usó: se esperan {} s hasta el siguiente",
    ),
    (
        "a recovery code, or a code of the old app: ",
        "un código de recuperación, o uno de la aplicación anterior: ",
    ),
    ("type this into the new app: {}", "escriba esto en la aplicación nueva: {}"),
    ("or make a QR code of: {}", "o haga un código QR de: {}"),
    ("code from the new app: ", "código de la aplicación nueva: "),
    (
        "the new app is your second factor; keep these codes, each is good once:",
        "la aplicación nueva es su segundo factor; guarde estos códigos, cada uno vale una vez:",
    ),
    ("e-mail address", "correo electrónico"),
    ("asked for", "pedido"),
    ("its code is good until", "su código vale hasta"),
    (
        "a code went to the new address, if it is nobody else's; good until {}: docket email confirm",
        "se envió un código al correo nuevo, si no es de otra persona; vale hasta {}: docket email confirm",
    ),
    ("code from the mail to the new address: ", "código del mensaje al correo nuevo: "),
    ("code from the mail to the address before: ", "código del mensaje al correo anterior: "),
    (
        "changed: sign in with the new address from now on; the one before can take it back until {}",
        "cambiado: desde ahora inicie sesión con el correo nuevo; desde el anterior puede deshacerse hasta {}",
    ),
    ("given up: the account keeps its address", "dejado: la cuenta conserva su correo"),
    (
        "the account has the address that it had, and all its sessions have ended: sign in",
        "la cuenta tiene otra vez el correo que tenía, y todas sus sesiones terminaron: inicie sesión",
    ),
    (
        "no address is on record: report where you live with docket file AR-11",
        "no consta ninguna dirección: indique dónde vive con docket file AR-11",
    ),
    ("address of record", "dirección registrada"),
    ("mail goes to", "el correo va a"),
    ("confirmed", "confirmada"),
    (
        "if that is not right, report a move: docket file AR-11",
        "si no es correcta, informe de su mudanza: docket file AR-11",
    ),
    // Drafts, copies and what goes with them.
    (
        "Form G-28 is not completed or signed as it must be",
        "el Formulario G-28 no está completo o firmado como debe",
    ),
    ("whoever entered it may not represent", "quien la presentó no puede representar"),
    (
        "a student or graduate, and who supervises them is not shown",
        "un estudiante o graduado, y no consta quién lo supervisa",
    ),
    ("the representative is suspended", "el representante está suspendido"),
    ("the representative is disbarred", "el representante está inhabilitado"),
    ("the accreditation has ended", "la acreditación terminó"),
    ("the office ended it", "la oficina la terminó"),
    ("say where the picture of the page goes: --to PATH", "diga adónde va la imagen de la página: --to RUTA"),
    ("page {} of {} ({}) written to {}", "página {} de {} ({}) guardada en {}"),
    (
        "Something on it could not be drawn as it is: look at the original too.",
        "Algo de ella no se pudo dibujar como es: vea también el original.",
    ),
    ("nobody has opened a file of it", "nadie ha abierto un archivo suyo"),
    ("looked at pages of", "vio páginas de"),
    ("downloaded", "descargó"),
    ("who filed it", "quien la presentó"),
    ("who signs it too", "quien también la firma"),
    ("the officer of the case", "el oficial del caso"),
    ("an officer at intake", "un oficial de recepción"),
    ("a supervisor of the office", "un supervisor de la oficina"),
    ("somebody", "alguien"),
    (", kept until the end of {}", ", se conserva hasta el final del {}"),
    ("still being checked for viruses, not saved: {}", "todavía se revisa si tiene virus, no guardado: {}"),
    ("filing.json and {} files in {}", "filing.json y {} archivos en {}"),
    (
        "{}  hand this code to whom you want to represent you; it is good for 30 days",
        "{}  entregue este código a quien quiera que le represente; vale por 30 días",
    ),
    (
        "They enter an appearance with it on Form G-28: docket representation enter --asked CODE",
        "Con él presenta su comparecencia en el Formulario G-28: docket representation enter --asked CODE",
    ),
    (
        "Then read it, and consent or refuse: docket representation consent CODE, or refuse CODE",
        "Después léala, y acéptela o rechácela: docket representation consent CODE, o refuse CODE",
    ),
    (
        "{} is withdrawn; in a moment these are drafts again:",
        "{} está retirado; en un momento estas son otra vez borradores:",
    ),
    (
        "`docket file filings/<id>` goes on with one, `docket abandon` gives it up.",
        "`docket file filings/<id>` sigue con una, `docket abandon` la deja.",
    ),
    (
        "its answers and files are erased and cannot be had again: say --yes; `docket export` saves them first",
        "sus respuestas y archivos se borran y no pueden recuperarse: diga --yes; `docket export` los guarda antes",
    ),
    (" (in the package of Form {})", " (en el paquete del formulario {})"),
    (" (not yet online)", " (todavía no en línea)"),
    ("edition {}", "edición {}"),
    ("the copy was cut; ask for it again", "la copia llegó cortada; pídala otra vez"),
    ("{} bytes written to {}", "{} bytes escritos en {}"),
    ("A draft: nothing in it is signed or sent.", "Un borrador: nada de él está firmado ni enviado."),
    ("content hash", "huella del contenido"),
    // Who signs or files together with the party, and who represents them.
    ("code", "código"),
    ("good until", "vale hasta"),
    ("code good until", "el código vale hasta"),
    ("hand it", "entréguelo"),
    ("a mail takes it to {}; else hand it", "un mensaje lo lleva a {}; si no, entréguelo"),
    (
        "{} to {}, who signs in an account of their own: docket helper show {}",
        "{} a {}, que firma en una cuenta propia: docket helper show {}",
    ),
    (
        "nobody signs it beside you, as it is answered now",
        "según las respuestas de ahora, nadie más que usted lo firma",
    ),
    ("You sign as {} of this {}", "Usted firma como {} de este {}"),
    ("signed as {} of this {}, {}", "firmado como {} de este {}, {}"),
    ("the picture was cut; ask for it again", "la imagen llegó cortada; pídala otra vez"),
    ("page {} of {} written to {}", "página {} de {} escrita en {}"),
    (
        "{} to {}, who files {} from an account of their own: docket invitation show {}",
        "{} a {}, que presenta {} desde una cuenta propia: docket invitation show {}",
    ),
    ("declined; whoever asked you for {} is told", "rechazado; se avisa a quien le pidió {}"),
    (
        "nobody is asked to file a form together with this one",
        "a nadie se le pide presentar un formulario junto con este",
    ),
    ("{} asks you to file form {}", "{} le pide presentar el formulario {}"),
    ("together with", "junto con"),
    (
        "nobody but you reads it; when it is signed, whoever asked you sends it with theirs",
        "nadie más que usted lo lee; cuando esté firmado, quien se lo pidió lo envía con lo suyo",
    ),
    ("go on with: docket file {}", "siga con: docket file {}"),
    ("your client has the code already", "su cliente ya tiene el código"),
    (
        "nothing counts before your client consents: docket representation consent {}",
        "nada vale antes de que su cliente acepte: docket representation consent {}",
    ),
    ("its content was erased", "su contenido se borró"),
    (", for {} alone", ", solo para {}"),
    // The case.
    ("sign in to watch a case: docket sign-in", "para seguir un caso, inicie sesión: docket sign-in"),
    ("(sign in to see more)", "(inicie sesión para ver más)"),
    ("to answer", "para responder"),
    ("next step", "próximo paso"),
    ("due", "vence"),
    ("due {}", "vence el {}"),
    ("say why nobody came by", "diga por qué nadie vino, hasta"),
    ("the office has to decide by", "la oficina debe decidir a más tardar el"),
    ("the office has to hear this by", "la oficina debe celebrar la audiencia a más tardar el"),
    ("request to expedite", "petición de urgencia"),
    ("not reached by mail", "no localizado por correo"),
    ("appointment", "cita"),
    ("no time is free now; look again on another day", "ahora no hay ninguna hora libre; mire otro día"),
    (
        "a withdrawal cannot be taken back, and the fee is not returned (8 CFR 103.2(b)(6), 103.2(a)(1)): say --yes",
        "un retiro no puede deshacerse, y la tarifa no se devuelve (8 CFR 103.2(b)(6), 103.2(a)(1)): diga --yes",
    ),
    (
        "{} is withdrawn; what was open in it, appointments too, has ended",
        "{} está retirado; lo que estaba abierto en él, también las citas, terminó",
    ),
    ("nothing was asked of you", "no se le pidió nada"),
    ("open", "abierta"),
    ("late", "tardía"),
    ("answered", "respondida"),
    ("ended", "terminada"),
    ("nothing was asked in this case", "en este caso no se preguntó nada"),
    (
        "asked; the office means to answer by {} ({}). `docket inquiries {}` shows the answer",
        "enviado; la oficina prevé responder hasta el {} ({}). `docket inquiries {}` muestra la respuesta",
    ),
    ("to be answered by", "se responderá hasta"),
    ("nothing was written about this case", "sobre este caso no se escribió nada"),
    (
        "say what you write; the receipt number shows the conversation",
        "diga qué escribe; el número de recibo muestra la conversación",
    ),
    ("a message needs words", "un mensaje necesita palabras"),
    ("waits for an answer", "espera respuesta"),
    ("card", "tarjeta"),
    ("biometrics", "datos biométricos"),
    ("interview", "entrevista"),
    ("oath ceremony", "ceremonia de juramento"),
    ("request for a correction", "solicitud de corrección"),
    ("on hold", "en espera"),
    ("{}, looked at again by {}", "{}, se revisa hasta {}"),
    (", look for them by {}", ", búsquelo hasta {}"),
    (
        "{}: {}, {}, since {}, answer by {}; the last is {}",
        "{}: {}, {}, desde {}, respuesta hasta {}; el último es {}",
    ),
    // Texts to a mobile phone.
    ("do you agree? (yes/no) ", "¿está de acuerdo? (sí/no) "),
    (
        "nothing was changed: no texts are sent without your consent",
        "no se cambió nada: sin su consentimiento no se envían mensajes de texto",
    ),
    (
        "a code went to the number; good until {}: docket texts confirm",
        "se envió un código al número; vale hasta {}: docket texts confirm",
    ),
    ("code from the text: ", "código del mensaje de texto: "),
    (
        "texts are on: docket texts remove, or STOP in answer to one, ends them",
        "los mensajes de texto están activados: docket texts remove, o STOP como respuesta a uno, los termina",
    ),
    ("no texts are sent; mail goes on", "no se envían mensajes de texto; el correo sigue"),
    ("texts", "mensajes de texto"),
    ("on", "activados"),
    ("off", "desactivados"),
    ("not offered here", "no se ofrecen aquí"),
    (
        "ended by an answer from the number; START from there begins them again",
        "terminados por una respuesta desde el número; START desde allí los reanuda",
    ),
    (
        "ended, since they did not arrive: give the number again, or another one",
        "terminados, pues no llegaban: dé el número otra vez, u otro",
    ),
    ("number", "número"),
    ("waits for its code", "espera su código"),
    ("what you agree to", "a lo que da su acuerdo"),
    // Where papers go, as Form G-28 says.
    ("the representative", "el representante"),
    ("the client", "el cliente"),
    ("{}; both find every notice", "{}; ambos encuentran cada aviso"),
    ("originals of notices", "originales de los avisos"),
    ("cards are mailed to", "las tarjetas se envían a"),
    ("notice with the I-94", "aviso con el I-94"),
    ("representative", "representante"),
    ("client", "cliente"),
    ("no notices yet", "todavía no hay avisos"),
    (
        "! mail to your e-mail address comes back (last on {}): look here for notices, and have it mended",
        "! el correo a su dirección electrónica vuelve (la última vez, {}): busque aquí los avisos, y haga que se corrija",
    ),
    ("copy", "copia"),
    // Pages that may be hard to read.
    ("page {} has only {} dots an inch", "la página {} tiene solo {} puntos por pulgada"),
    ("page {} is blank", "la página {} está en blanco"),
    ("page {} is dark", "la página {} está oscura"),
    ("page {} is blurred", "la página {} está borrosa"),
    ("page {} may be hard to read", "la página {} puede ser difícil de leer"),
    (
        "page {} cannot be shown as a picture; send it as another file",
        "la página {} no se puede mostrar como imagen; envíela en otro archivo",
    ),
    ("page {} is cut", "la página {} está cortada"),
    ("! {}: {} may be hard to read: {}", "! {}: {} puede ser difícil de leer: {}"),
    (", review {}", ", revisión {}"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    /// Commands of the office and of operators, which speak English.
    const OF_THE_OFFICE: [&str; 5] = ["officers.rs", "office.rs", "persons.rs", "roles.rs", "log.rs"];

    /// The sources of the commands that a party calls, by name.
    fn sources() -> Vec<(String, String)> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/commands");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let rust = files.filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
        let named = rust.map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        });
        named.filter(|(name, _)| !OF_THE_OFFICE.contains(&name.as_str())).collect()
    }

    /// Whether something is said beside what goes where the braces stand.
    fn is_in_words(text: &str) -> bool {
        let plain: String = text.split('{').map(|part| part.rsplit('}').next().unwrap_or("")).collect();
        plain.chars().filter(|sign| sign.is_alphabetic()).count() > 4
    }

    #[test]
    fn both_languages_have_room_for_the_same_and_nothing_stands_twice() {
        let mut known = BTreeSet::new();
        for (english, spanish) in SPANISH {
            assert!(known.insert(english), "{english:?} stands twice");
            assert_ne!(english, spanish);
            assert_eq!(english.matches("{}").count(), spanish.matches("{}").count(), "{english:?}");
        }
        assert_eq!(said("es-MX", "confirmed"), "confirmada");
        assert_eq!(said("en", "confirmed"), "confirmed");
    }

    /// Words are given by the table, or by `Words`: none are said as they stand, but to a program or as a command.
    #[test]
    fn no_command_of_a_party_says_english_words_alone() {
        let mut bare = Vec::new();
        for (name, source) in sources() {
            let source = source.split("#[cfg(test)]").next().unwrap().replace("format!(", "");
            for call in ["teller.line(", "teller.heading(", "teller.pair("] {
                for said in source.split(call).skip(1) {
                    let said = said.trim_start_matches(['&', ' ', '\n']);
                    let Some(said) = said.strip_prefix('"') else { continue };
                    let words = said.split('"').next().unwrap_or_default();
                    if !words.contains("s/{") && is_in_words(words) {
                        bare.push(format!("{name}: {words}"));
                    }
                }
            }
        }
        assert!(bare.is_empty(), "{bare:#?}");
    }

    #[test]
    fn what_goes_into_words_is_not_looked_into() {
        assert_eq!(
            filled("en", "page {} of {} written to {}", &[&"{}", &2, &"scan{}.png"]),
            "page {} of 2 written to scan{}.png"
        );
        assert_eq!(
            filled("en", "page {} is dark", &[&3, &300]),
            "page 3 is dark",
            "what has no place is left out"
        );
        assert_eq!(filled("en", "page {} is dark", &[]), "page {} is dark");
    }

    /// Nor are they put together before they are said: only what ends a command, names a file or is to be typed is.
    #[test]
    fn no_command_of_a_party_puts_english_words_together() {
        let mut bare = Vec::new();
        for (name, source) in sources() {
            let source = source.split("#[cfg(test)]").next().unwrap();
            let parts: Vec<&str> = source.split("format!(").collect();
            for part in parts.windows(2) {
                let ends_it = ["||", "|| {", "Ending::NotFound,"];
                let (before, said) = (part[0].trim_end(), part[1].trim_start());
                let Some(said) = said.strip_prefix('"') else { continue };
                let words = said.split('"').next().unwrap_or_default();
                let is_typed = words.starts_with("docket ") || words.contains("s/{");
                if !is_typed && !ends_it.iter().any(|end| before.ends_with(end)) && is_in_words(words) {
                    bare.push(format!("{name}: {words}"));
                }
            }
        }
        assert!(bare.is_empty(), "{bare:#?}");
    }

    /// What is asked of the table is in it.
    #[test]
    fn whatever_a_command_says_by_the_table_is_there_in_spanish() {
        let mut used = BTreeSet::new();
        let on_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let sources =
            sources().into_iter().chain([("commands.rs".into(), include_str!("commands.rs").into())]);
        for (_, source) in sources {
            let text = on_one_line(&source);
            let is_said = |english: &str| text.contains(&on_one_line(&format!("\"{english}\"")));
            used.extend(SPANISH.iter().map(|(english, _)| *english).filter(|english| is_said(english)));
            for call in ["teller.words(", "teller.filled("] {
                for said in text.split(call).skip(1) {
                    let Some(said) = said.trim_start().strip_prefix('"') else { continue };
                    let words = said.split('"').next().unwrap_or_default();
                    assert!(SPANISH.iter().any(|(english, _)| *english == words), "{words:?} has no Spanish");
                }
            }
        }
        let unused: Vec<_> = SPANISH.iter().filter(|(english, _)| !used.contains(english)).collect();
        assert!(unused.is_empty(), "nobody says {unused:#?}");
    }
}
