/* What the files of the send log share. */
#ifndef STORE_OUT_PRIV_H
#define STORE_OUT_PRIV_H

#include "store/priv.h"

/* The columns that every query of `out` gives. */
enum col {
	C_ROW,
	C_ID,
	C_KEY,
	C_DIGEST,
	C_FROM,
	C_RCPTS,
	C_STATE,
	C_CREATED,
	C_EXPIRES,
	C_ERROR,
	C_TRIES,
	C_FLAGS,
	C_COPY,
	C_PID,
	C_START,
	C_BOOT,
	C_NS,
	C_DATA,
	C_CHANGED
};

enum { FLAG_UTF8 = 1, FLAG_8BIT = 2 };

/* What is known of one row to decide whose it is. */
struct hold {
	enum store_state state;
	struct owner owner;
	int sent_copy;
	bool data;
	int64_t changed;
};

/* Recipients as one text, an address a line. */
int out_join(const struct str *v, size_t n, struct buf *b, struct coi_err *e);
void out_read(struct arena *a, sqlite3_stmt *st, struct store_out *o);
void out_owner(sqlite3_stmt *st, struct owner *o);
void out_bind_owner(sqlite3_stmt *st, int at, const struct owner *o);
/* Fills o->wire if the octets are still there. */
int out_wire(struct store *s, struct arena *a, struct store_out *o,
	     struct coi_err *e);
int out_state(struct store *s, int64_t row, enum store_state state,
	      struct coi_err *e);
int out_by_row(struct store *s, enum query q, int64_t row, struct coi_err *e);
/* 1 found, 0 no such row. */
int out_hold(struct store *s, int64_t row, struct hold *h, struct coi_err *e);
/* A row that was thought dead is still its owner's to finish. */
bool out_is_ours(struct store *s, const struct hold *h);
int out_accept(struct store *s, int64_t row, const struct hold *h,
	       struct str error, struct coi_err *e);
/*
 * Puts a row of a dead owner right: QUEUED, ACCEPTED, or UNKNOWN where data
 * may have left.  Marks and results are only handed to the kernel, so that a
 * crash of the machine may have taken them: then nobody knows.  In a
 * transaction; *h gets the new state.
 */
int out_settle_dead(struct store *s, int64_t row, struct hold *h,
		    struct coi_err *e);
/* Rows whose sender died: UNKNOWN where data may have left, else QUEUED. */
int out_recover(struct store *s, struct coi_err *e);
int out_put(struct store *s, int64_t row, enum store_state state,
	    struct str error, struct str left, struct coi_err *e);

#endif
