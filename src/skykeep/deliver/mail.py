"""E-mail through the site's own relay. Blocks; no retries.

What goes wrong comes back as words that name neither address nor person, for the record.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage

from skykeep.config import Smtp

#: A relay that needs longer is tried again later.
TIMEOUT_S = 10.0


def send_mail(
    addresses: Sequence[str], subject: str, text: str, smtp: Smtp | None, message_id: str = ""
) -> str:
    """Hand an e-mail to the relay; empty if it took it for everybody, else why not.

    `message_id` is the same for each repeat, so that a mail program shows them as one.
    """
    if smtp is None:
        return "the site has no mail relay"
    mail = EmailMessage()
    mail["From"], mail["To"] = smtp.sender, ", ".join(addresses)
    mail["Subject"] = subject
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    if message_id:
        mail["Message-ID"] = message_id
    mail.set_content(text)
    try:
        with smtplib.SMTP(smtp.host, smtp.port, timeout=TIMEOUT_S) as relay:
            if smtp.starttls:
                relay.starttls(context=ssl.create_default_context())
            if smtp.user is not None and smtp.password_file is not None:
                relay.login(smtp.user, smtp.password_file.read_text(encoding="utf-8").strip())
            refused = relay.send_message(mail, to_addrs=list(addresses))
    except smtplib.SMTPRecipientsRefused:
        return "the mail relay refused every address"
    except smtplib.SMTPResponseException as error:
        return f"the mail relay answered {error.smtp_code}"
    except (OSError, ValueError, smtplib.SMTPException) as error:
        return f"the mail relay did not take it ({type(error).__name__})"
    return f"the mail relay refused {len(refused)} of {len(addresses)} addresses" if refused else ""
