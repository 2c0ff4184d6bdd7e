# Titles of notices, by kind.
notice-receipt = Receipt notice
notice-rejection = We could not accept your filing
notice-biometrics_appointment = Biometrics appointment
notice-interview_appointment = Interview appointment
notice-appointment_moved = Your appointment was moved
notice-appointment_cancelled = Your appointment was cancelled
notice-rfe = Request for evidence
notice-continuation = Your examination was continued
notice-approval = Approval notice
notice-denial = Denial of your case
notice-withdrawal_ack = Your case was withdrawn
notice-case_closed_moot = Your case was closed: you received the benefit another way
notice-reopened = Your case was reopened
notice-payment_returned = Your payment was not honored
notice-acceptance_voided = We took back our acceptance
notice-address_changed = Your address was changed
notice-representation_ended = Nobody represents you any more
notice-card_mailed = Your card or document is on its way
notice-card_returned = Your card or document came back to us
notice-oath = Oath ceremony
notice-citizenship_certificate_ready = Your Certificate of Naturalization

# Mail that tells of something new. It names nobody beyond the greeting, no number, no form and no status.
mail-greeting = Hello { $name },
mail-greeting-nameless = Hello,
mail-notice-subject = You have a new notice
mail-notice = There is a new notice in your Docket account. Sign in as usual to read it.
mail-message-subject = You have a new message
mail-message = There is a new message in your Docket account. Sign in as usual to read it.
mail-ending = This mail was sent by a machine. Please do not answer it: write to us from your account. We never ask for your password or a code by mail.
