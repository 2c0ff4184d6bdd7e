//! What the interview itself says, in English and Spanish; what a form says comes from the service in the same language.

/// The words of one language. A word that a language lacks does not compile.
#[derive(Debug)]
pub struct Words {
    pub which_form: &'static str,
    pub begin_which: &'static str,
    pub how_to_answer: &'static str,
    pub how_to_answer_a_part: &'static str,
    pub waiver_asked: &'static str,
    pub waiver_dropped: &'static str,
    pub waiver_left: &'static str,
    pub saved: &'static str,
    pub answered_meanwhile: &'static str,
    /// The old question, answer and reason go where `{}` stands.
    pub not_taken_over: &'static str,
    /// The number of answers goes where `{}` stands.
    pub taken_over: &'static str,
    /// The command goes where `{}` stands.
    pub goes_in_with: &'static str,
    /// The command goes where `{}` stands.
    pub ready: &'static str,
    pub may_stay_open: &'static str,
    pub is_there_one: &'static str,
    pub another_one: &'static str,
    /// The answer as it is goes where `{}` stands.
    pub answered_so: &'static str,
    pub keeps: &'static str,
    pub first_question: &'static str,
    pub said_yes: &'static str,
    pub said_no: &'static str,
    pub papers: Papers,
    pub signing: Signing,
    pub answering: Answering,
    pub from_file: FromFile,
    pub opening: Opening,
    pub proving: Proving,
    /// The seconds go where `{}` stands.
    pub waits: &'static str,
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

/// What is said of papers. What a paper is, and why it is needed, the service says.
#[derive(Debug)]
pub struct Papers {
    pub heading: &'static str,
    pub none_needed: &'static str,
    pub how_to_attach: &'static str,
    pub needed_now: &'static str,
    pub needed_later: &'static str,
    pub explained: &'static str,
    /// The names of the files go where `{}` stands.
    pub attached: &'static str,
    /// What may stand in goes where `{}` stands.
    pub stand_ins: &'static str,
    /// The file and its form go where `{}` stands.
    pub attached_elsewhere: &'static str,
    pub file_or_why_not: &'static str,
    pub files_taken: &'static str,
    pub cannot_be_had: &'static str,
    pub translation: &'static str,
    pub which_is_it: &'static str,
    pub other_language: &'static str,
    /// The path goes where `{}` stands.
    pub no_such_file: &'static str,
    pub why_not: &'static str,
    pub noted: &'static str,
    pub any_more: &'static str,
}

/// What is said while a filing is signed, sent and paid.
#[derive(Debug)]
pub struct Signing {
    /// The sum goes where `{}` stands.
    pub fee: &'static str,
    pub agree: &'static str,
    pub agree_why: &'static str,
    pub not_agreed: &'static str,
    pub as_whom: &'static str,
    /// Words of the service, and what they are called.
    pub capacities: [(&'static str, &'static str); 5],
    pub type_name: &'static str,
    pub not_signed: &'static str,
    pub code: &'static str,
    /// The command goes where `{}` stands.
    pub send_next: &'static str,
    /// The sum and the payment go where `{}` stands.
    pub due: &'static str,
    /// The command goes where `{}` stands.
    pub pay_next: &'static str,
    /// The sum and the card go where `{}` stands.
    pub paid: &'static str,
    pub pending: &'static str,
    /// The filing and its receipt number go where `{}` stands.
    pub receipt: &'static str,
    /// The filing goes where `{}` stands.
    pub no_receipt_yet: &'static str,
    /// The command goes where `{}` stands.
    pub watch_next: &'static str,
}

/// What is said of a request of the office and of the answer to it.
#[derive(Debug)]
pub struct Answering {
    /// The last day and how it is counted go where `{}` stands.
    pub due: &'static str,
    pub late: &'static str,
    pub came_late: &'static str,
    /// When it was received goes where `{}` stands.
    pub answered: &'static str,
    pub ended: &'static str,
    /// What answers the grounds of a notice of intent to deny.
    pub rebuttal: &'static str,
    pub being_checked: &'static str,
    /// The file goes where `{}` stands.
    pub refused: &'static str,
    pub how: &'static str,
    pub a_file: &'static str,
    pub cannot_be_had: &'static str,
    pub cannot_be_provided: &'static str,
    /// What has no file goes where `{}` stands.
    pub partial: &'static str,
    pub send_partial: &'static str,
    pub partial_why: &'static str,
    pub not_sent: &'static str,
    /// The command goes where `{}` stands.
    pub send_next: &'static str,
}

/// What is said where a file's answers go into a draft that is there.
#[derive(Debug)]
pub struct FromFile {
    /// The question with what is saved, then what the file says, go where `{}` stands.
    pub saved_otherwise: &'static str,
    pub nothing_saved: &'static str,
    /// Where the answers to the form went in before.
    pub rest_not_saved: &'static str,
    /// The name of the file goes where `{}` stands.
    pub attached_already: &'static str,
}

/// What is said while an account is opened.
#[derive(Debug)]
pub struct Opening {
    /// The address goes where `{}` stands.
    pub goes_on: &'static str,
    pub email: &'static str,
    pub password: &'static str,
    pub password_again: &'static str,
    pub passwords_differ: &'static str,
    /// The address goes where `{}` stands.
    pub code_sent: &'static str,
    pub mailed_code: &'static str,
    /// The secret goes where `{}` stands.
    pub type_into_app: &'static str,
    /// The address for the code goes where `{}` stands.
    pub or_qr_code: &'static str,
    pub app_code: &'static str,
    pub keep_codes: &'static str,
    pub codes_not_shown: &'static str,
    pub own_password: &'static str,
    pub next_code: &'static str,
    pub left: &'static str,
    /// The address goes where `{}` stands.
    pub sign_in_later: &'static str,
    /// The address goes where `{}` stands.
    pub signed_in: &'static str,
    /// The command goes where `{}` stands.
    pub prove_next: &'static str,
}

/// What is said while somebody proves who they are.
#[derive(Debug)]
pub struct Proving {
    pub how: &'static str,
    pub family_name: &'static str,
    pub given_name: &'static str,
    pub birth_date: &'static str,
    pub a_number: &'static str,
    pub left: &'static str,
    /// The name goes where `{}` stands.
    pub proven: &'static str,
    /// The command goes where `{}` stands.
    pub not_proven: &'static str,
}

static EN: Words = Words {
    which_form: "Which form do I need?",
    begin_which: "Begin which? (an empty line: none)",
    how_to_answer: "An empty line leaves a question open. ? says why it is asked, < goes back to the one before, + to the papers now, ! stops here: what is answered is saved.",
    how_to_answer_a_part: "An empty line leaves a question open. ? says why it is asked, < goes back to the one before, ! stops here: nothing is kept then.",
    waiver_asked: "You ask that the fee be waived. An officer decides; if it is refused, the filing comes back, and can be begun again with all that is in it.",
    waiver_dropped: "No waiver is asked for; the fee is due.",
    waiver_left: "You stopped before the end, and nothing was asked for.",
    saved: "saved",
    answered_meanwhile: "! Somebody else answered this meanwhile: {}. Yours was not saved.",
    not_taken_over: "! The form has a new edition, which does not take this answer as it was: {}",
    taken_over: "{} answers are taken over from other forms of this package. Look at them: each form is signed by itself.",
    goes_in_with: "To file this together with it, with what is answered already: {}",
    ready: "Everything is there. To review and sign it: {}",
    may_stay_open: "You may leave this open.",
    is_there_one: "is there one to tell of?",
    another_one: "another one?",
    answered_so: "now: {} (an empty line keeps it)",
    keeps: "It is answered already: an empty line keeps the answer, another answer takes its place.",
    first_question: "There is no question before this one.",
    said_yes: "yes",
    said_no: "no",
    papers: Papers {
        heading: "Papers",
        none_needed: "As the answers are now, no papers are needed.",
        how_to_attach: "Type the path of a file, or of several with commas between them. - and words say why it cannot be provided, ? tells more, < goes back to the questions, ! stops here. An empty line leaves it for later.",
        needed_now: "needed now",
        needed_later: "may come later",
        explained: "you said why it cannot be provided",
        attached: "attached: {}",
        stand_ins: "In its place you may attach: {}.",
        attached_elsewhere: "You gave such a paper before: {}. = attaches it here too.",
        file_or_why_not: "a file, or - and why not",
        files_taken: "PDF, JPEG, PNG and TIFF are taken, at most 12 MiB each.",
        cannot_be_had: "If you cannot get it, type - and why, and what you tried, in 20 to 2,000 characters. The filing can be signed then, and an officer decides whether that is enough (8 CFR 103.2(b)(2)).",
        translation: "A document in another language needs a full English translation that its translator certifies as complete and correct (8 CFR 103.2(b)(3)): put it in the same file, or attach it too.",
        which_is_it: "Which of these is it? (an empty line: 1)",
        other_language: "is it in another language than English? (an empty line: no)",
        no_such_file: "There is no such file: {}",
        why_not: "why can it not be provided?",
        noted: "noted",
        any_more: "The number of a paper attaches a file to it; an empty line: that is all.",
    },
    signing: Signing {
        fee: "The fee: {}",
        agree: "do you agree with what your representative prepared, as you read it above?",
        agree_why: "Nothing is signed before you agree. `docket review --give-back` gives it back with words on what is wrong.",
        not_agreed: "You did not agree, and nothing was signed. `docket review --give-back` gives it back with words on what is wrong.",
        as_whom: "As whom do you sign? (an empty line: for yourself)",
        capacities: [
            ("self", "for yourself"),
            ("parent", "as a parent of a child under 14"),
            ("guardian", "as a legal guardian"),
            ("attorney_in_fact", "under a durable power of attorney"),
            ("company_officer", "for the company that files"),
        ],
        type_name: "You declare what stands above under penalty of perjury. Your full legal name signs it (an empty line: not now)",
        not_signed: "No name was typed, and nothing was signed.",
        code: "code from the authenticator",
        send_next: "Signed. To send it: {}",
        due: "Sent. To be paid: {}",
        pay_next: "To pay it: {} (a test card of the sandbox; nothing goes in before it is paid)",
        paid: "Paid: {}",
        pending: "The processor has not answered yet; nothing is charged twice. Look again in a moment.",
        receipt: "Received: {}",
        no_receipt_yet: "{} went in; its receipt number has not come yet: `docket filings` shows it.",
        watch_next: "To watch it: {}",
    },
    answering: Answering {
        due: "Due: {}",
        late: "Its deadline is over. An answer is still taken: it is kept in the case and marked as late, and an officer decides whether to look at it.",
        came_late: "It came after the deadline: it is kept in the case and marked as late.",
        answered: "Answered, received on {}. Nothing can be added to it.",
        ended: "It ended without an answer, together with the case or what it was for; nothing is to be sent.",
        rebuttal: "Your answer to the grounds",
        being_checked: "still being checked for viruses",
        refused: "✗ taken out, since it was refused when it was checked: {}",
        how: "Type the path of a file, or of several with commas between them. - and words say why it cannot be provided, ? tells more, ! stops here. An empty line leaves it for later: what is attached and said is kept.",
        a_file: "a file, or - and why not",
        cannot_be_had: "If you cannot get it, type - and why, and what you tried, in 20 to 2,000 characters: it is part of your answer, and an officer decides whether that is enough. If the paper does not exist, other papers show the same; if there are none, two sworn statements of people who know it (8 CFR 103.2(b)(2)).",
        cannot_be_provided: "cannot be provided",
        partial: "Nothing is attached for: {}. Everything must come at one time; what is left out cannot be sent later.",
        send_partial: "send it all the same, so that the case is decided on what is there?",
        partial_why: "An answer in which something is missing asks for a decision on what is there (8 CFR 103.2(b)(11)). The case can be denied for what is missing.",
        not_sent: "Nothing was sent. What is attached is kept.",
        send_next: "To send it, all at one time: {}",
    },
    from_file: FromFile {
        saved_otherwise: "! Saved is {}, and the file says {}",
        nothing_saved: "Nothing was saved, since the draft says otherwise than the file. --keep leaves what is saved there and puts the rest in; --replace puts what the file says in its place.",
        rest_not_saved: "The answers to the form were saved. The request for a waiver was not, since the draft says otherwise than the file. --keep leaves what is saved there and puts the rest in; --replace puts what the file says in its place.",
        attached_already: "= {} is attached already",
    },
    opening: Opening {
        goes_on: "You have begun to open an account for {}: it is gone on with.",
        email: "your e-mail address",
        password: "a password of 12 to 128 characters (it is not seen as you type it)",
        password_again: "the same password again",
        passwords_differ: "The two passwords differ, and nothing was sent. Begin again.",
        code_sent: "A mail is on its way to {}. It has a code, good for 24 hours.",
        mailed_code: "the six digits from the mail",
        type_into_app: "Type this into an authenticator app: {}",
        or_qr_code: "or make a QR code of: {}",
        app_code: "the six digits that the app shows",
        keep_codes: "Your account is open. Keep these codes on paper: each lets you in once where the app is lost, and they are not shown again.",
        codes_not_shown: "Your account is open, and its recovery codes could not be shown: `docket account open` shows them within 24 hours.",
        own_password: "your password (it is not seen as you type it)",
        next_code: "the next six digits of the app, which come within 30 seconds, to sign in",
        left: "You stopped before the account was open. `docket account open` goes on with it within 24 hours.",
        sign_in_later: "Your account is open, and you are not signed in: docket sign-in --email {}",
        signed_in: "signed in as {}",
        prove_next: "To prove who you are, so that no officer need look before your filing is accepted: {}",
    },
    proving: Proving {
        how: "Type these as your card has them. They are matched with the register of persons; there are three tries.",
        family_name: "family name",
        given_name: "given names (an empty line: none)",
        birth_date: "date of birth, such as 1990-01-31",
        a_number: "A-number, such as A012345678",
        left: "You stopped, and nothing was sent.",
        proven: "Proven: {}",
        not_proven: "Who you are is not proven: {}",
    },
    waits: "Nothing gets through just now. What was sent is kept; trying again in {} s.",
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
        ("partial_date", "a year, MM/YYYY or MM/DD/YYYY, as far as you know it"),
        ("partial_date:month", "MM/YYYY, or MM/DD/YYYY if you know the day"),
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
    how_to_answer: "Una línea vacía deja abierta la pregunta. ? dice por qué se pregunta, < vuelve a la anterior, + pasa ya a los documentos, ! termina aquí: lo respondido está guardado.",
    how_to_answer_a_part: "Una línea vacía deja abierta la pregunta. ? dice por qué se pregunta, < vuelve a la anterior, ! termina aquí: entonces no se guarda nada.",
    waiver_asked: "Usted pide la exención de la tarifa. Un oficial decide; si se niega, la solicitud vuelve a usted, y puede empezarse de nuevo con todo lo que contiene.",
    waiver_dropped: "No se pide ninguna exención; la tarifa se debe pagar.",
    waiver_left: "Usted terminó antes del final, y no se pidió nada.",
    saved: "guardado",
    answered_meanwhile: "! Mientras tanto, otra persona respondió a esto: {}. Lo suyo no se guardó.",
    not_taken_over: "! El formulario tiene una nueva edición, que no acepta esta respuesta como estaba: {}",
    taken_over: "Respuestas tomadas de otros formularios de este paquete: {}. Revíselas: cada formulario se firma por separado.",
    goes_in_with: "Para presentarlo junto con este, con lo ya respondido: {}",
    ready: "Está todo. Para revisarlo y firmarlo: {}",
    may_stay_open: "Puede dejarla abierta.",
    is_there_one: "¿hay alguno que indicar?",
    another_one: "¿otro más?",
    answered_so: "ahora: {} (una línea vacía lo deja así)",
    keeps: "Ya está respondida: una línea vacía deja la respuesta, otra respuesta la reemplaza.",
    first_question: "No hay ninguna pregunta antes de esta.",
    said_yes: "sí",
    said_no: "no",
    papers: Papers {
        heading: "Documentos",
        none_needed: "Con las respuestas de ahora no hace falta ningún documento.",
        how_to_attach: "Escriba la ruta de un archivo, o de varios separados por comas. - y unas palabras dicen por qué no puede presentarse, ? dice más, < vuelve a las preguntas, ! termina aquí. Una línea vacía lo deja para después.",
        needed_now: "hace falta ahora",
        needed_later: "puede venir después",
        explained: "usted dijo por qué no puede presentarse",
        attached: "adjunto: {}",
        stand_ins: "En su lugar puede adjuntar: {}.",
        attached_elsewhere: "Usted ya entregó un documento así: {}. = lo adjunta también aquí.",
        file_or_why_not: "un archivo, o - y por qué no",
        files_taken: "Se aceptan PDF, JPEG, PNG y TIFF, de 12 MiB como máximo cada uno.",
        cannot_be_had: "Si no puede conseguirlo, escriba - y por qué, y qué intentó, en 20 a 2,000 caracteres. Entonces la solicitud puede firmarse, y un oficial decide si eso basta (8 CFR 103.2(b)(2)).",
        translation: "Un documento en otro idioma necesita una traducción completa al inglés, certificada por quien la tradujo como completa y correcta (8 CFR 103.2(b)(3)): póngala en el mismo archivo, o adjúntela también.",
        which_is_it: "¿Cuál de estos es? (una línea vacía: 1)",
        other_language: "¿está en un idioma distinto del inglés? (una línea vacía: no)",
        no_such_file: "No existe ese archivo: {}",
        why_not: "¿por qué no puede presentarse?",
        noted: "anotado",
        any_more: "El número de un documento le adjunta un archivo; una línea vacía: eso es todo.",
    },
    signing: Signing {
        fee: "La tarifa: {}",
        agree: "¿está de acuerdo con lo que preparó su representante, como lo leyó arriba?",
        agree_why: "Nada se firma antes de que usted esté de acuerdo. `docket review --give-back` lo devuelve y dice qué está mal.",
        not_agreed: "Usted no dio su acuerdo y no se firmó nada. `docket review --give-back` lo devuelve y dice qué está mal.",
        as_whom: "¿En qué calidad firma? (una línea vacía: en su propio nombre)",
        capacities: [
            ("self", "en su propio nombre"),
            ("parent", "como padre o madre de un menor de 14 años"),
            ("guardian", "como tutor legal"),
            ("attorney_in_fact", "con un poder notarial duradero"),
            ("company_officer", "por la empresa que presenta"),
        ],
        type_name: "Usted declara lo de arriba bajo pena de perjurio. Su nombre legal completo lo firma (una línea vacía: ahora no)",
        not_signed: "No se escribió ningún nombre y no se firmó nada.",
        code: "código del autenticador",
        send_next: "Firmado. Para enviarlo: {}",
        due: "Enviado. Por pagar: {}",
        pay_next: "Para pagarlo: {} (una tarjeta de prueba; nada se presenta antes de pagarse)",
        paid: "Pagado: {}",
        pending: "El procesador todavía no respondió; nada se cobra dos veces. Vuelva a mirar en un momento.",
        receipt: "Recibido: {}",
        no_receipt_yet: "{} se presentó; su número de recibo todavía no llega: `docket filings` lo muestra.",
        watch_next: "Para seguirlo: {}",
    },
    answering: Answering {
        due: "Vence: {}",
        late: "Su plazo terminó. Todavía se acepta una respuesta: se conserva en el caso, marcada como tardía, y un oficial decide si la considera.",
        came_late: "Llegó después del plazo: se conserva en el caso, marcada como tardía.",
        answered: "Respondida, recibida el {}. No se le puede añadir nada.",
        ended: "Terminó sin respuesta, junto con el caso o con aquello para lo que se pidió; no hay que enviar nada.",
        rebuttal: "Su respuesta a los motivos",
        being_checked: "todavía se revisa si tiene virus",
        refused: "✗ retirado, porque fue rechazado al revisarlo: {}",
        how: "Escriba la ruta de un archivo, o de varios separados por comas. - y unas palabras dicen por qué no puede presentarse, ? dice más, ! termina aquí. Una línea vacía lo deja para después: lo adjunto y lo dicho se conserva.",
        a_file: "un archivo, o - y por qué no",
        cannot_be_had: "Si no puede conseguirlo, escriba - y por qué, y qué intentó, en 20 a 2,000 caracteres: es parte de su respuesta, y un oficial decide si eso basta. Si el documento no existe, otros documentos muestran lo mismo; si no los hay, dos declaraciones juradas de personas que lo saben (8 CFR 103.2(b)(2)).",
        cannot_be_provided: "no puede presentarse",
        partial: "No hay nada adjunto para: {}. Todo debe llegar de una vez; lo que falte no podrá enviarse después.",
        send_partial: "¿enviarla de todos modos, para que el caso se decida con lo que hay?",
        partial_why: "Una respuesta en la que falta algo pide que se decida con lo que hay (8 CFR 103.2(b)(11)). El caso puede denegarse por lo que falta.",
        not_sent: "No se envió nada. Lo adjunto se conserva.",
        send_next: "Para enviarla, todo de una vez: {}",
    },
    from_file: FromFile {
        saved_otherwise: "! Está guardado {}, y el archivo dice {}",
        nothing_saved: "No se guardó nada, porque el borrador dice otra cosa que el archivo. --keep deja lo que está guardado y pone lo demás; --replace pone en su lugar lo que dice el archivo.",
        rest_not_saved: "Las respuestas al formulario se guardaron. La petición de exención no, porque el borrador dice otra cosa que el archivo. --keep deja lo que está guardado y pone lo demás; --replace pone en su lugar lo que dice el archivo.",
        attached_already: "= {} ya está adjunto",
    },
    opening: Opening {
        goes_on: "Usted empezó a abrir una cuenta para {}: se sigue con ella.",
        email: "su correo electrónico",
        password: "una contraseña de 12 a 128 caracteres (no se ve al escribirla)",
        password_again: "la misma contraseña otra vez",
        passwords_differ: "Las dos contraseñas son distintas y no se envió nada. Empiece de nuevo.",
        code_sent: "Un correo va en camino a {}. Trae un código, válido por 24 horas.",
        mailed_code: "los seis dígitos del correo",
        type_into_app: "Escriba esto en una aplicación de autenticación: {}",
        or_qr_code: "o haga un código QR de: {}",
        app_code: "los seis dígitos que muestra la aplicación",
        keep_codes: "Su cuenta está abierta. Guarde estos códigos en papel: cada uno le deja entrar una vez si pierde la aplicación, y no se muestran de nuevo.",
        codes_not_shown: "Su cuenta está abierta, y sus códigos de recuperación no se pudieron mostrar: `docket account open` los muestra durante 24 horas.",
        own_password: "su contraseña (no se ve al escribirla)",
        next_code: "los próximos seis dígitos de la aplicación, que llegan en menos de 30 segundos, para iniciar sesión",
        left: "Usted terminó antes de que la cuenta estuviera abierta. `docket account open` sigue con ella durante 24 horas.",
        sign_in_later: "Su cuenta está abierta, y usted no ha iniciado sesión: docket sign-in --email {}",
        signed_in: "sesión iniciada como {}",
        prove_next: "Para demostrar quién es, y que ningún oficial tenga que mirar antes de que se acepte su solicitud: {}",
    },
    proving: Proving {
        how: "Escríbalos como están en su tarjeta. Se comparan con el registro de personas; hay tres intentos.",
        family_name: "apellidos",
        given_name: "nombres (una línea vacía: ninguno)",
        birth_date: "fecha de nacimiento (año-mes-día), como 1990-01-31",
        a_number: "número A, como A012345678",
        left: "Usted terminó y no se envió nada.",
        proven: "Demostrado: {}",
        not_proven: "Quién es usted no está demostrado: {}",
    },
    waits: "En este momento no se puede enviar. Lo enviado se conserva; se intenta de nuevo en {} s.",
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
        ("partial_date", "un año, mes/año (MM/AAAA) o mes/día/año (MM/DD/AAAA), según lo que sepa"),
        ("partial_date:month", "mes/año (MM/AAAA), o mes/día/año (MM/DD/AAAA) si sabe el día"),
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
        assert_eq!(ids(&en.signing.capacities), ids(&es.signing.capacities));
        let filled = |words: &Words| {
            let papers = [
                words.papers.attached,
                words.papers.stand_ins,
                words.papers.attached_elsewhere,
                words.papers.no_such_file,
            ];
            let signing = &words.signing;
            let signing = [
                signing.fee,
                signing.send_next,
                signing.due,
                signing.pay_next,
                signing.paid,
                signing.receipt,
                signing.no_receipt_yet,
                signing.watch_next,
            ];
            let answering = &words.answering;
            let answering = [
                answering.due,
                answering.answered,
                answering.refused,
                answering.partial,
                answering.send_next,
            ];
            let (opening, proving) = (&words.opening, &words.proving);
            let account = [
                opening.goes_on,
                opening.code_sent,
                opening.type_into_app,
                opening.or_qr_code,
                opening.sign_in_later,
                opening.signed_in,
                opening.prove_next,
                proving.proven,
                proving.not_proven,
                words.from_file.attached_already,
            ];
            [
                &account[..],
                &[
                    words.ready,
                    words.choose_one,
                    words.answered_meanwhile,
                    words.not_taken_over,
                    words.taken_over,
                    words.goes_in_with,
                    words.answered_so,
                    words.waits,
                ],
                &papers[..],
                &signing,
                &answering,
            ]
            .concat()
        };
        assert!(filled(en).into_iter().chain(filled(es)).all(|text| text.contains("{}")));
        for words in [en, es] {
            assert!(["? ", "< ", "+ ", "! "].iter().all(|sign| words.how_to_answer.contains(sign)));
            assert!(["- ", "? ", "< ", "! "].iter().all(|sign| words.papers.how_to_attach.contains(sign)));
            assert_eq!(words.from_file.saved_otherwise.matches("{}").count(), 2);
            assert!(["- ", "? ", "! "].iter().all(|sign| words.answering.how.contains(sign)));
            assert!(words.yes.contains(&words.said_yes) && words.no.contains(&words.said_no));
        }
        for words in [en, es] {
            let (year, month) = (words.hint("partial_date"), words.hint("partial_date:month"));
            assert!(year != month && [year, month].iter().all(|hint| hint.contains("MM/")), "{year} {month}");
        }
        assert_ne!(en.how_to_answer, es.how_to_answer);
        assert_ne!(en.papers.how_to_attach, es.papers.how_to_attach);
        assert_eq!(Words::of("").saved, en.saved);
    }
}
