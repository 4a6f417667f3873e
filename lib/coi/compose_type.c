#include "coi/compose_in.h"

/* Endings and what they mean; the first ending of a type is the one used when
 * a file has no name. */
static const struct {
	const char *ext, *type;
} table[] = {
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"png", "image/png"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"svg", "image/svg+xml"},
    {"heic", "image/heic"},
    {"avif", "image/avif"},
    {"webm", "video/webm"},
    {"mkv", "video/x-matroska"},
    {"mp4", "video/mp4"},
    {"m4v", "video/mp4"},
    {"mov", "video/quicktime"},
    {"weba", "audio/webm"},
    {"m4a", "audio/mp4"},
    {"aac", "audio/aac"},
    {"ogg", "audio/ogg"},
    {"oga", "audio/ogg"},
    {"opus", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"mp3", "audio/mpeg"},
    {"wav", "audio/wav"},
    {"flac", "audio/flac"},
    {"pdf", "application/pdf"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"json", "application/json"},
    {"xml", "application/xml"},
    {"kml", "application/vnd.google-earth.kml+xml"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"odp", "application/vnd.oasis.opendocument.presentation"},
    {"docx", "application/vnd.openxmlformats-officedocument."
	     "wordprocessingml.document"},
    {"xlsx", "application/vnd.openxmlformats-officedocument."
	     "spreadsheetml.sheet"},
    {"pptx", "application/vnd.openxmlformats-officedocument."
	     "presentationml.presentation"},
    {"epub", "application/epub+zip"},
    {"txt", "text/plain"},
    {"log", "text/plain"},
    {"md", "text/markdown"},
    {"html", "text/html"},
    {"htm", "text/html"},
    {"css", "text/css"},
    {"csv", "text/csv"},
    {"ics", "text/calendar"},
    {"vcf", "text/vcard"},
};
#define NTABLE (sizeof(table) / sizeof(table[0]))

static struct str ext_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash == NULL ? path : slash + 1, '.');

	return dot == NULL ? STR_NONE : str_of(dot + 1);
}

static const char *by_ext(struct str ext)
{
	size_t i;

	for (i = 0; ext.n > 0 && i < NTABLE; i++)
		if (str_iis(ext, table[i].ext))
			return table[i].type;
	return NULL;
}

const char *type_ext(struct str type)
{
	size_t i;

	for (i = 0; i < NTABLE; i++)
		if (str_is(type, table[i].type))
			return table[i].ext;
	return "bin";
}

static bool has(struct str head, size_t at, const char *z)
{
	return str_starts(str_sub(head, at, head.n), z);
}

/* Matroska: the document type stands in the first octets, the codecs of the
 * tracks soon after. */
static const char *matroska(struct str head, struct str ext)
{
	bool webm = str_find(str_sub(head, 0, 64), STR("webm")) >= 0;
	bool video = str_find(head, STR("V_VP")) >= 0 ||
		     str_find(head, STR("V_AV1")) >= 0 ||
		     str_find(head, STR("V_MPEG")) >= 0;
	bool audio = str_find(head, STR("A_OPUS")) >= 0 ||
		     str_find(head, STR("A_VORBIS")) >= 0;

	if (!webm)
		return "video/x-matroska";
	return !video && (audio || str_iis(ext, "weba")) ? "audio/webm"
							 : "video/webm";
}

/* ISO base media: the brand says which of its many uses this is. */
static const char *iso_media(struct str head)
{
	struct str brand = str_sub(head, 8, 4);

	if (str_is(brand, "M4A ") || str_is(brand, "M4B "))
		return "audio/mp4";
	if (str_is(brand, "qt  "))
		return "video/quicktime";
	if (str_is(brand, "heic") || str_is(brand, "heix") ||
	    str_is(brand, "mif1"))
		return "image/heic";
	if (str_is(brand, "avif"))
		return "image/avif";
	return "video/mp4";
}

static const char *by_magic(struct str h, struct str ext)
{
	unsigned char b1 = h.n > 1 ? (unsigned char)h.p[1] : 0;
	const char *t = by_ext(ext);

	if (has(h, 0, "\xff\xd8\xff"))
		return "image/jpeg";
	if (has(h, 0, "\x89PNG\r\n\x1a\n"))
		return "image/png";
	if (has(h, 0, "GIF87a") || has(h, 0, "GIF89a"))
		return "image/gif";
	if (has(h, 0, "RIFF") && has(h, 8, "WEBP"))
		return "image/webp";
	if (has(h, 0, "RIFF") && has(h, 8, "WAVE"))
		return "audio/wav";
	if (has(h, 0, "\x1a\x45\xdf\xa3"))
		return matroska(h, ext);
	if (has(h, 4, "ftyp"))
		return iso_media(h);
	if (has(h, 0, "OggS"))
		return str_iis(ext, "ogv") ||
			       str_find(str_sub(h, 0, 256), STR("theora")) >= 0
			   ? "video/ogg"
			   : "audio/ogg";
	if (has(h, 0, "fLaC"))
		return "audio/flac";
	if (has(h, 0, "%PDF-"))
		return "application/pdf";
	/* Many formats are zip files; only the ending tells them apart. */
	if (has(h, 0, "PK\x03\x04") || has(h, 0, "PK\x05\x06"))
		return t != NULL && strncmp(t, "application/", 12) == 0
			   ? t
			   : "application/zip";
	if (has(h, 0, "\x1f\x8b"))
		return "application/gzip";
	if (has(h, 0, "ID3"))
		return "audio/mpeg";
	if (has(h, 0, "\xff") && (b1 & 0xf6) == 0xf0)
		return "audio/aac"; /* ADTS: layer 0 */
	if (has(h, 0, "\xff") && (b1 & 0xe6) == 0xe2)
		return "audio/mpeg"; /* layer III */
	return NULL;
}

bool type_is_text(struct str head)
{
	size_t i = 0, k;
	uint32_t cp;

	while (i < head.n) {
		k = utf8_decode(head.p + i, head.n - i, &cp);
		/* The head may end inside a character. */
		if (k == 0)
			return i > 0 && head.n - i < 4 &&
			       (unsigned char)head.p[i] >= 0xc2;
		if ((cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r' &&
		     cp != '\f' && cp != 0x1b) ||
		    cp == 0x7f)
			return false;
		i += k;
	}
	return head.n > 0;
}

static bool textual(const char *t)
{
	return strncmp(t, "text/", 5) == 0 || strstr(t, "xml") != NULL ||
	       strstr(t, "json") != NULL;
}

struct str compose_type(struct arena *a, const char *path, struct str head)
{
	struct str ext = path == NULL ? STR_NONE : ext_of(path);
	const char *magic = by_magic(head, ext), *name = by_ext(ext);

	(void)a;
	if (magic != NULL)
		return str_of(magic);
	if (type_is_text(head))
		return str_of(name != NULL && textual(name) ? name
							    : "text/plain");
	return str_of(name != NULL ? name : "application/octet-stream");
}
