#include "fmt/date.h"

#include "core/limits.h"

#define DAY 86400
#define YEAR_MIN 1900
#define YEAR_MAX 9999

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char weekdays[] = "SunMonTueWedThuFriSat";

struct civil {
	int64_t year;
	int month, day, hour, min, sec;
	int weekday; /* 0: Sunday */
};

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
static int64_t days_of(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void civil_of(int64_t t, struct civil *c)
{
	int64_t days, z, era, doe, yoe, doy, mp, left;

	/* Four digits is all that the formats have. */
	if (t < INT64_C(-62167219200))
		t = INT64_C(-62167219200);
	if (t > INT64_C(253402300799))
		t = INT64_C(253402300799);
	days = (t >= 0 ? t : t - (DAY - 1)) / DAY;
	left = t - days * DAY;
	z = days + 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	c->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	c->year = yoe + era * 400 + (c->month <= 2);
	c->hour = (int)(left / 3600);
	c->min = (int)(left / 60 % 60);
	c->sec = (int)(left % 60);
	c->weekday = (int)(((days + 4) % 7 + 7) % 7);
}

static int month_days(int64_t y, int m)
{
	static const int n[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0))
		return 29;
	return n[m - 1];
}

/* Checks every field; a leap second is the second behind it. */
static bool time_of(const struct civil *c, int64_t zone, int64_t *t)
{
	if (c->year < YEAR_MIN || c->year > YEAR_MAX || c->month < 1 ||
	    c->month > 12 || c->day < 1 ||
	    c->day > month_days(c->year, c->month) || c->hour > 23 ||
	    c->min > 59 || c->sec > 60)
		return false;
	*t = days_of(c->year, c->month, c->day) * DAY + c->hour * 3600 +
	     c->min * 60 + c->sec - zone;
	return true;
}

/* --- reading ------------------------------------------------------------- */

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool alpha(char c)
{
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'z';
}

static void skip(struct str *s, size_t n)
{
	*s = str_sub(*s, n, s->n);
}

/* Takes 1 to `max` digits; -1 if there are none or more. */
static int64_t number(struct str *s, size_t max, size_t *len)
{
	int64_t v = 0;
	size_t i;

	for (i = 0; i < s->n && digit(s->p[i]); i++) {
		if (i == max)
			return -1;
		v = v * 10 + (s->p[i] - '0');
	}
	if (i == 0)
		return -1;
	skip(s, i);
	*len = i;
	return v;
}

static bool take(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	skip(s, 1);
	return true;
}

/* Exactly n digits. */
static bool fixed(struct str *s, size_t n, int *v)
{
	size_t len = 0;
	int64_t x = number(s, n, &len);

	*v = (int)x;
	return x >= 0 && len == n;
}

/* Blanks and comments (RFC 5322 3.2.2); an endless one takes the rest. */
static void cfws(struct str *s)
{
	int depth = 0;
	size_t i;

	for (i = 0; i < s->n; i++) {
		char c = s->p[i];

		if (c == '(' && depth < LIMIT_COMMENT_NESTING)
			depth++;
		else if (depth > 0 && c == ')')
			depth--;
		else if (depth > 0 && c == '\\')
			i++;
		else if (depth == 0 && c != ' ' && c != '\t' && c != '\r' &&
			 c != '\n')
			break;
	}
	skip(s, i);
}

static struct str letters(struct str *s)
{
	struct str w = {s->p, 0};

	while (w.n < s->n && alpha(s->p[w.n]))
		w.n++;
	skip(s, w.n);
	return w;
}

static int month_of(struct str w)
{
	int i;

	for (i = 0; i < 12; i++)
		if (w.n >= 3 &&
		    str_ieq(str_sub(w, 0, 3),
			    (struct str){months + (size_t)i * 3, 3}))
			return i + 1;
	return 0;
}

/* "+0130" or "+01:30" in seconds. */
static bool offset(struct str *s, int64_t *zone)
{
	int sign = s->p[0] == '-' ? -1 : 1, h = 0, m = 0;

	skip(s, 1);
	if (s->n >= 4 && digit(s->p[2])) {
		if (!fixed(s, 4, &m))
			return false;
		h = m / 100;
		m %= 100;
	} else if (!fixed(s, 2, &h) || !take(s, ':') || !fixed(s, 2, &m)) {
		return false;
	}
	if (h > 23 || m > 59)
		return false;
	*zone = sign * (h * 3600 + m * 60);
	return true;
}

/* Names of RFC 5322 4.3; a military letter or an unknown word means UTC. */
static int64_t named_zone(struct str w)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = {{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5},
		     {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};
	size_t i;

	for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (str_iis(w, zones[i].name))
			return zones[i].hours * 3600;
	return 0;
}

static bool clock_time(struct str *s, struct civil *c)
{
	size_t len = 0;

	c->hour = (int)number(s, 2, &len);
	cfws(s);
	if (c->hour < 0 || !take(s, ':'))
		return false;
	cfws(s);
	c->min = (int)number(s, 2, &len);
	if (c->min < 0)
		return false;
	cfws(s);
	c->sec = 0;
	if (!take(s, ':'))
		return true;
	cfws(s);
	c->sec = (int)number(s, 2, &len);
	/* Some write milliseconds. */
	if (c->sec >= 0 && s->n > 1 && s->p[0] == '.' && digit(s->p[1]))
		for (skip(s, 1); s->n > 0 && digit(s->p[0]);)
			skip(s, 1);
	return c->sec >= 0;
}

static bool year(struct str *s, int64_t *y)
{
	size_t len = 0;

	*y = number(s, 4, &len);
	if (*y < 0)
		return false;
	if (len == 2) /* RFC 5322 4.3 */
		*y += *y < 50 ? 2000 : 1900;
	else if (len == 3)
		*y += 1900;
	return true;
}

static bool zone(struct str *s, int64_t *z)
{
	*z = 0;
	cfws(s);
	if (s->n > 0 && alpha(s->p[0])) {
		*z = named_zone(letters(s));
		if (s->n == 0 || (s->p[0] != '+' && s->p[0] != '-'))
			return true;
	}
	if (s->n > 0 && (s->p[0] == '+' || s->p[0] == '-'))
		return offset(s, z);
	return true;
}

bool date_parse(struct str s, int64_t *t)
{
	struct civil c = {0};
	int64_t z = 0;
	size_t len = 0;
	bool late_year = false;

	cfws(&s);
	if (s.n > 0 && !digit(s.p[0])) { /* the weekday, in any language */
		while (s.n > 0 && s.p[0] != ',' && s.p[0] != ' ' &&
		       s.p[0] != '\t' && s.p[0] != '(' && !digit(s.p[0]))
			skip(&s, 1);
		cfws(&s);
		take(&s, ',');
		cfws(&s);
	}
	if (s.n > 0 && alpha(s.p[0])) { /* asctime: "Wed Nov 25 ... 2026" */
		c.month = month_of(letters(&s));
		cfws(&s);
		late_year = true;
	}
	c.day = (int)number(&s, 2, &len);
	cfws(&s);
	if (!late_year) {
		take(&s, '-');
		c.month = month_of(letters(&s));
		take(&s, '.');
		cfws(&s);
		take(&s, '-');
		if (!year(&s, &c.year))
			return false;
		take(&s, ',');
	}
	cfws(&s);
	if (c.day < 0 || !clock_time(&s, &c))
		return false;
	if (late_year) {
		cfws(&s);
		if (s.n > 0 && alpha(s.p[0]))
			z = named_zone(letters(&s));
		cfws(&s);
		return year(&s, &c.year) && time_of(&c, z, t);
	}
	return zone(&s, &z) && time_of(&c, z, t);
}

/* The "2026-11-25" of RFC 3339. */
static bool full_date(struct str *s, struct civil *c)
{
	int y = 0;

	if (!fixed(s, 4, &y) || !take(s, '-') || !fixed(s, 2, &c->month) ||
	    !take(s, '-') || !fixed(s, 2, &c->day))
		return false;
	c->year = y;
	return true;
}

bool date_parse_3339(struct str s, int64_t *t)
{
	struct civil c = {0};
	int64_t z = 0;

	s = str_trim(s);
	if (!full_date(&s, &c) ||
	    !(take(&s, 'T') || take(&s, 't') || take(&s, ' ')) ||
	    !fixed(&s, 2, &c.hour) || !take(&s, ':') || !fixed(&s, 2, &c.min))
		return false;
	if (take(&s, ':')) {
		if (!fixed(&s, 2, &c.sec))
			return false;
		if (s.n > 1 && s.p[0] == '.' && digit(s.p[1]))
			for (skip(&s, 1); s.n > 0 && digit(s.p[0]);)
				skip(&s, 1);
	}
	if (s.n == 6 && (s.p[0] == '+' || s.p[0] == '-')) {
		if (s.p[3] != ':' || !offset(&s, &z))
			return false;
	} else if (!take(&s, 'Z') && !take(&s, 'z')) {
		return false;
	}
	return s.n == 0 && time_of(&c, z, t);
}

bool date_parse_imap(struct str s, int64_t *t)
{
	struct civil c = {0};
	int64_t z = 0;
	size_t len = 0;
	int y = 0;

	if (s.n > 1 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		s = str_sub(s, 1, s.n - 2);
	s = str_trim(s);
	c.day = (int)number(&s, 2, &len);
	if (c.day < 0 || !take(&s, '-'))
		return false;
	c.month = month_of(letters(&s));
	if (!take(&s, '-') || !fixed(&s, 4, &y) || !take(&s, ' ') ||
	    !fixed(&s, 2, &c.hour) || !take(&s, ':') || !fixed(&s, 2, &c.min) ||
	    !take(&s, ':') || !fixed(&s, 2, &c.sec) || !take(&s, ' ') ||
	    s.n != 5 || (s.p[0] != '+' && s.p[0] != '-'))
		return false;
	c.year = y;
	return offset(&s, &z) && time_of(&c, z, t);
}

bool date_parse_human(struct str s, int64_t now, int64_t *t)
{
	struct civil c = {0};
	struct str d;
	int64_t unit;
	uint64_t v;

	s = str_trim(s);
	if (s.n > 1 && s.p[0] == '@') {
		if (!str_u64(str_sub(s, 1, s.n), UINT64_C(253402300799), &v))
			return false;
		*t = (int64_t)v;
		return true;
	}
	if (date_parse_3339(s, t))
		return true;
	d = s;
	if (full_date(&d, &c) && d.n == 0)
		return time_of(&c, 0, t);
	if (s.n < 2)
		return false;
	switch (s.p[s.n - 1]) {
	case 'w':
		unit = 7 * DAY;
		break;
	case 'd':
		unit = DAY;
		break;
	case 'h':
		unit = 3600;
		break;
	case 'm':
		unit = 60;
		break;
	case 's':
		unit = 1;
		break;
	default:
		return false;
	}
	if (!str_u64(str_sub(s, 0, s.n - 1), 1000000, &v))
		return false;
	*t = now - (int64_t)v * unit;
	return true;
}

/* --- writing ------------------------------------------------------------- */

static const char *name(const char *table, int i)
{
	return table + (size_t)i * 3;
}

void date_write(struct buf *b, int64_t t)
{
	struct civil c;

	civil_of(t, &c);
	buf_fmt(b, "%.3s, %d %.3s %04d %02d:%02d:%02d +0000",
		name(weekdays, c.weekday), c.day, name(months, c.month - 1),
		(int)c.year, c.hour, c.min, c.sec);
}

static char *digits(char *p, unsigned v, unsigned n, char end)
{
	unsigned i;

	for (i = n; i > 0; i--, v /= 10)
		p[i - 1] = (char)('0' + v % 10);
	p[n] = end;
	return p + n + 1;
}

void date_write_3339(struct buf *b, int64_t t)
{
	struct civil c;
	char text[24], *p;

	civil_of(t, &c);
	/* Thrice a message: by hand. */
	p = digits(text, (unsigned)c.year, 4, '-');
	p = digits(p, (unsigned)c.month, 2, '-');
	p = digits(p, (unsigned)c.day, 2, 'T');
	p = digits(p, (unsigned)c.hour, 2, ':');
	p = digits(p, (unsigned)c.min, 2, ':');
	p = digits(p, (unsigned)c.sec, 2, 'Z');
	buf_add(b, text, (size_t)(p - text));
}

void date_write_imap(struct buf *b, int64_t t)
{
	struct civil c;

	civil_of(t, &c);
	buf_fmt(b, "%2d-%.3s-%04d %02d:%02d:%02d +0000", c.day,
		name(months, c.month - 1), (int)c.year, c.hour, c.min, c.sec);
}

void date_write_search(struct buf *b, int64_t t)
{
	struct civil c;

	civil_of(t, &c);
	buf_fmt(b, "%d-%.3s-%04d", c.day, name(months, c.month - 1),
		(int)c.year);
}
