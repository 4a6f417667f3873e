/*
 * Runs a fuzz target over the files of its corpus without libFuzzer:
 *	NAME DIR...
 * One TAP line a folder.  A file that takes longer than SLOW seconds of
 * processor time fails: the parsers promise linear time.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLOW 2.0

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	clock_t start;
	double took;
	long size;
	int ret = -1;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0)
		goto out;
	rewind(f);
	/* exactly the size, so that a sanitizer sees the first octet over */
	data = malloc(size > 0 ? (size_t)size : 1);
	if (data == NULL || fread(data, 1, (size_t)size, f) != (size_t)size)
		goto out;
	start = clock();
	LLVMFuzzerTestOneInput(data, (size_t)size);
	took = (double)(clock() - start) / CLOCKS_PER_SEC;
	if (took > SLOW) {
		printf("# %s took %.1f s\n", path, took);
		goto out;
	}
	ret = 0;
out:
	if (f != NULL)
		fclose(f);
	free(data);
	return ret;
}

int main(int argc, char **argv)
{
	int i, bad = 0;

	for (i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		struct dirent *e;
		int n = 0, failed = 0;
		char path[4096];

		while (d != NULL && (e = readdir(d)) != NULL) {
			if (e->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", argv[i],
				 e->d_name);
			/* the last such line names the file of a crash */
			printf("# %s\n", path);
			fflush(stdout);
			failed += feed(path) != 0;
			n++;
		}
		if (d != NULL)
			closedir(d);
		bad += failed != 0 || n == 0;
		printf("%s %d - %s: %d files, %d failed\n",
		       failed || n == 0 ? "not ok" : "ok", i, argv[i], n,
		       failed);
	}
	printf("1..%d\n", argc - 1);
	return bad != 0;
}
