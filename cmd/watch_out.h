/* Output of coi-watch: lines of many tasks, written by one at a time. */
#ifndef CMD_WATCH_OUT_H
#define CMD_WATCH_OUT_H

#include "cli.h"
#include "coi/watch.h"

struct watch_out;

struct watch_out *watch_out_new(bool readable, bool color);
void watch_out_free(struct watch_out *o);

/* Appends; nothing is written before watch_out_flush(). */
void watch_out_line(struct watch_out *o, const struct message *m);
void watch_out_event(struct watch_out *o, const struct watch_event *ev);
void watch_out_moved(struct watch_out *o, const struct filter_moved *m,
		     const char *account);
void watch_out_heartbeat(struct watch_out *o, const struct watch_stats *s);
/* Octets that are still to be written. */
uint64_t watch_out_waits(const struct watch_out *o);
/*
 * Writes all that was appended so far, while the other tasks run.  COI_E_PIPE
 * when the reader left, COI_E_CANCELLED when the time given by
 * watch_out_give_up() is over; what failed once fails from then on.
 */
int watch_out_flush(struct watch_out *o, struct coi_err *e);
/* sys_mono_ms() from which on a reader that does not read is left alone. */
void watch_out_give_up(struct watch_out *o, int64_t at);
enum coi_code watch_out_code(const struct watch_out *o);
/* The reader of a pipe is gone, although there is nothing to write. */
bool watch_out_unread(struct watch_out *o);

#endif
