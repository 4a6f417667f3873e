/* Every size that a peer or a file chooses is checked against these. */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

#define LIMIT_IMAP_LINE (1024u * 1024u) /* octets of a response line */
#define LIMIT_IMAP_LITERAL 0xfffffffeu	/* RFC 3501: 32 bit */
#define LIMIT_IMAP_LITERAL_MEM \
	(1024u * 1024u) /* kept in memory, not streamed */
#define LIMIT_IMAP_NESTING 64
#define LIMIT_IMAP_RESPONSES 4000000u	   /* untagged ones of one command */
#define LIMIT_IMAP_LIST 20000u		   /* mailboxes of one LIST */
#define LIMIT_SMTP_LINE 4096u		   /* RFC 5321: 512, be generous */
#define LIMIT_SMTP_LINES 128u		   /* lines of one reply */
#define LIMIT_SMTP_TEXT (32u * 1024u)	   /* octets of one reply */
#define LIMIT_SIEVE_LINE (64u * 1024u)	   /* a response line */
#define LIMIT_SIEVE_SCRIPT (1024u * 1024u) /* octets; in a literal */
#define LIMIT_SIEVE_LINES 4096u		   /* lines of one response */
#define LIMIT_RCPTS 1000u
#define LIMIT_HEADER_BLOCK (256u * 1024u)
#define LIMIT_HEADER_LINE (64u * 1024u)
#define LIMIT_HEADER_FIELDS 2000u
#define LIMIT_ADDRESSES 2000u
#define LIMIT_COMMENT_NESTING 32
#define LIMIT_PARAMS 64u
#define LIMIT_MIME_NESTING 64
#define LIMIT_MIME_PARTS 1000u
#define LIMIT_TEXT (4u * 1024u * 1024u) /* decoded text of one message */
#define LIMIT_REFERENCES 200u
#define LIMIT_JSON_LINE (64u * 1024u * 1024u)
#define LIMIT_JSON_DEPTH 32
#define LIMIT_CONFIG (1024u * 1024u)
#define LIMIT_AUTOCONFIG (256u * 1024u) /* octets of the whole answer */
#define LIMIT_AUTOCONFIG_NESTING 16
#define LIMIT_AUTOCONFIG_SERVERS 32u
#define LIMIT_AUTOCONFIG_TEXT 1024u /* octets of one value */
#define LIMIT_REDIRECTS 4
#define LIMIT_SRV 64u /* records of one answer */
#define LIMIT_SECRET (16u * 1024u)
#define LIMIT_SASL_ROUNDS 16
#define LIMIT_SASL_TOKEN (16u * 1024u)

#endif
