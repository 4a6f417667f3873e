#include "kind/message.h"

#include <stdarg.h>

void message_init(struct message *m)
{
	*m = (struct message){0};
	m->sent_at = INT64_MIN;
	m->encrypted = -1;
	m->is_signed = -1;
	m->imap.received_at = INT64_MIN;
	m->imap.size = -1;
}

void message_warn(struct arena *a, struct message *m, const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	m->meta.warnings = arena_more(a, m->meta.warnings, m->meta.nwarnings,
				      &m->meta.warnings_cap,
				      sizeof(*m->meta.warnings));
	m->meta.warnings[m->meta.nwarnings++] = arena_str(a, buf_view(&b));
	buf_free(&b);
}

struct blob *message_attach(struct arena *a, struct message *m)
{
	struct blob *b;

	m->attachments = arena_more(a, m->attachments, m->nattachments,
				    &m->attachments_cap,
				    sizeof(*m->attachments));
	b = &m->attachments[m->nattachments++];
	*b = (struct blob){.size = -1};
	return b;
}

static const char *const ours[] = {
    "Date",
    "From",
    "Sender",
    "To",
    "Cc",
    "Bcc",
    "Reply-To",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Received",
    "Return-Path",
    "Disposition-Notification-To",
    "Autocrypt",
    "Auto-Submitted",
};

bool message_header_ours(struct str name)
{
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (str_iis(name, ours[i]))
			return true;
	return str_istarts(name, "COI-") || str_istarts(name, "Chat-") ||
	       str_istarts(name, "Content-") || str_istarts(name, "Resent-") ||
	       str_istarts(name, "Autocrypt-");
}

bool message_header_name(struct str name)
{
	size_t i;

	if (name.n == 0 || name.n > 70)
		return false;
	for (i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == ':')
			return false;
	return true;
}
