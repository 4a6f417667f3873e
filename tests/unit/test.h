/*
 * Unit tests print TAP: TEST(name) { ... CHECK(x); } and a main() from
 * TEST_MAIN.  A failed CHECK says where and goes on.
 */
#ifndef UNIT_TEST_H
#define UNIT_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/str.h"

struct test_case {
	const char *name;
	void (*fn)(void);
	struct test_case *next;
};

static struct test_case *test_first, **test_tail = &test_first;
static int test_bad;

#define TEST(fn_name, text)                                                  \
	static void fn_name(void);                                           \
	static struct test_case test_case_##fn_name = {text, fn_name, NULL}; \
	__attribute__((constructor)) static void test_add_##fn_name(void)    \
	{                                                                    \
		*test_tail = &test_case_##fn_name;                           \
		test_tail = &test_case_##fn_name.next;                       \
	}                                                                    \
	static void fn_name(void)

#define CHECK(cond)                                                         \
	do {                                                                \
		if (!(cond)) {                                              \
			test_bad++;                                         \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond); \
		}                                                           \
	} while (0)

#define CHECK_STR(got, want)                                              \
	do {                                                              \
		struct str got_ = (got);                                  \
		const char *want_ = (want);                               \
		if (!str_is(got_, want_)) {                               \
			test_bad++;                                       \
			printf("# %s:%d: got \"%.*s\", want \"%s\"\n",    \
			       __FILE__, __LINE__, STR_ARG(got_), want_); \
		}                                                         \
	} while (0)

#define CHECK_INT(got, want)                                                  \
	do {                                                                  \
		long long got_ = (long long)(got), want_ = (long long)(want); \
		if (got_ != want_) {                                          \
			test_bad++;                                           \
			printf("# %s:%d: got %lld, want %lld\n", __FILE__,    \
			       __LINE__, got_, want_);                        \
		}                                                             \
	} while (0)

#define TEST_MAIN                                                          \
	int main(void)                                                     \
	{                                                                  \
		struct test_case *t;                                       \
		int n = 0, failed = 0;                                     \
		for (t = test_first; t != NULL; t = t->next) {             \
			test_bad = 0;                                      \
			t->fn();                                           \
			failed += test_bad != 0;                           \
			printf("%s %d - %s\n", test_bad ? "not ok" : "ok", \
			       ++n, t->name);                              \
			fflush(stdout);                                    \
		}                                                          \
		printf("1..%d\n", n);                                      \
		return failed != 0;                                        \
	}

#endif
