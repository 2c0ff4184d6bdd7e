# Títulos de los avisos, por clase.
notice-receipt = Aviso de recibo
notice-rejection = No pudimos aceptar su solicitud
notice-biometrics_appointment = Cita de datos biométricos
notice-interview_appointment = Cita de entrevista
notice-appointment_moved = Su cita fue cambiada
notice-appointment_cancelled = Su cita fue cancelada
notice-rfe = Solicitud de pruebas
notice-continuation = Su examen continúa
notice-approval = Aviso de aprobación
notice-denial = Denegación de su caso
notice-withdrawal_ack = Su caso fue retirado
notice-case_closed_moot = Su caso fue cerrado: usted recibió el beneficio por otra vía
notice-reopened = Su caso fue reabierto
notice-payment_returned = Su pago no fue reconocido
notice-acceptance_voided = Anulamos nuestra aceptación
notice-address_changed = Cambió su dirección
notice-representation_ended = Ya nadie le representa
notice-card_mailed = Su tarjeta o documento está en camino
notice-card_returned = Nos devolvieron su tarjeta o documento
notice-oath = Ceremonia de juramento
notice-citizenship_certificate_ready = Su Certificado de Naturalización

# Correo que dice que hay algo nuevo. No nombra a nadie más allá del saludo, ni números, ni formularios, ni estados.
mail-greeting = Hola, { $name }:
mail-greeting-nameless = Hola:
mail-notice-subject = Tiene un aviso nuevo
mail-notice = Hay un aviso nuevo en su cuenta de Docket. Entre como siempre para leerlo.
mail-message-subject = Tiene un mensaje nuevo
mail-message = Hay un mensaje nuevo en su cuenta de Docket. Entre como siempre para leerlo.
mail-ending = Este correo lo envió una máquina. No lo responda: escríbanos desde su cuenta. Nunca le pedimos por correo su contraseña ni un código.
