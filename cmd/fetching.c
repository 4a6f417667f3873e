#include "fetching.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/file.h"
#include "core/sys.h"
#include "fmt/date.h"

int fetching_decode(struct cli *c, int64_t max_size, struct decode_opts *d,
		    struct coi_err *e)
{
	const char *save = cli_value(c, "save");

	*d = (struct decode_opts){.save_fd = -1, .max_size = max_size};
	if (save != NULL && cli_has(c, "inline"))
		return cli_usage(c, e,
				 "--save and --inline exclude each other");
	if (cli_size(c, "max-size", &d->max_size, e) < 0)
		return -1;
	d->inline_data = cli_has(c, "inline");
	d->full = cli_has(c, "full");
	d->headers = cli_has(c, "headers");
	if (save == NULL)
		return 0;
	if (file_mkdirs(save, e) < 0)
		return -1;
	d->save_dir = save;
	d->save_fd = open(save, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->save_fd < 0)
		return err_errno(e, COI_E_CREATE, errno, "cannot open %s",
				 save);
	return 0;
}

void fetching_end(struct decode_opts *d)
{
	if (d->save_fd >= 0)
		close(d->save_fd);
	d->save_fd = -1;
}

int fetching_start(struct cli *c, bool now, struct fetch_opts *o,
		   struct coi_err *e)
{
	const char *start = cli_value(c, "start");

	o->start_date = INT64_MIN;
	o->start_now = start == NULL ? now : strcmp(start, "now") == 0;
	if (start == NULL || o->start_now || strcmp(start, "all") == 0)
		return 0;
	if (date_parse_human(str_of(start), sys_now(), &o->start_date))
		return 0;
	return cli_usage(c, e, "--start: \"%s\" is not now, all or a date",
			 start);
}
