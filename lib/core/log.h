/* Log lines for -v and the wire trace; the program says where they go. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

enum log_level { LOG_WARN, LOG_INFO, LOG_DEBUG };

typedef void log_fn(void *ctx, enum log_level level, const char *text);

/* NULL (the default) drops all lines.  Process-wide. */
void log_to(log_fn *fn, void *ctx);

/* One line, without LF; controls in it are replaced. */
void log_line(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
