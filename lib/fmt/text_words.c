#include "fmt/text_words.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct {
	const char *label;
	int kind;
} headers[] = {
    {"From", WORDS_FROM},
    {"Von", WORDS_FROM},
    {"De", WORDS_FROM},
    {"Da", WORDS_FROM},
    {"Van", WORDS_FROM},
    {"Från", WORDS_FROM},
    {"Fra", WORDS_FROM},
    {"Od", WORDS_FROM},
    {"От", WORDS_FROM},
    {"Lähettäjä", WORDS_FROM},
    {"Feladó", WORDS_FROM},
    {"Gönderen", WORDS_FROM},
    {"Від", WORDS_FROM},
    {"差出人", WORDS_FROM},
    {"发件人", WORDS_FROM},
    {"寄件者", WORDS_FROM},
    {"Sent", WORDS_SENT},
    {"Date", WORDS_SENT},
    {"Gesendet", WORDS_SENT},
    {"Datum", WORDS_SENT},
    {"Envoyé", WORDS_SENT},
    {"Enviado", WORDS_SENT},
    {"Enviada", WORDS_SENT},
    {"Enviada em", WORDS_SENT},
    {"Enviado el", WORDS_SENT},
    {"Fecha", WORDS_SENT},
    {"Data", WORDS_SENT},
    {"Inviato", WORDS_SENT},
    {"Verzonden", WORDS_SENT},
    {"Skickat", WORDS_SENT},
    {"Sendt", WORDS_SENT},
    {"Dato", WORDS_SENT},
    {"Wysłano", WORDS_SENT},
    {"Wysłane", WORDS_SENT},
    {"Odesláno", WORDS_SENT},
    {"Отправлено", WORDS_SENT},
    {"Дата", WORDS_SENT},
    {"Lähetetty", WORDS_SENT},
    {"Elküldve", WORDS_SENT},
    {"送信日時", WORDS_SENT},
    {"发送时间", WORDS_SENT},
    {"To", WORDS_TO},
    {"An", WORDS_TO},
    {"À", WORDS_TO},
    {"Para", WORDS_TO},
    {"A", WORDS_TO},
    {"Aan", WORDS_TO},
    {"Till", WORDS_TO},
    {"Til", WORDS_TO},
    {"Do", WORDS_TO},
    {"Komu", WORDS_TO},
    {"Кому", WORDS_TO},
    {"Vastaanottaja", WORDS_TO},
    {"Címzett", WORDS_TO},
    {"宛先", WORDS_TO},
    {"收件人", WORDS_TO},
    {"Cc", WORDS_CC},
    {"Kopie", WORDS_CC},
    {"Kopia", WORDS_CC},
    {"DW", WORDS_CC},
    {"Копия", WORDS_CC},
    {"Subject", WORDS_SUBJECT},
    {"Betreff", WORDS_SUBJECT},
    {"Objet", WORDS_SUBJECT},
    {"Asunto", WORDS_SUBJECT},
    {"Oggetto", WORDS_SUBJECT},
    {"Onderwerp", WORDS_SUBJECT},
    {"Assunto", WORDS_SUBJECT},
    {"Ämne", WORDS_SUBJECT},
    {"Emne", WORDS_SUBJECT},
    {"Temat", WORDS_SUBJECT},
    {"Předmět", WORDS_SUBJECT},
    {"Тема", WORDS_SUBJECT},
    {"Aihe", WORDS_SUBJECT},
    {"Tárgy", WORDS_SUBJECT},
    {"件名", WORDS_SUBJECT},
    {"主题", WORDS_SUBJECT},
};

#define NBSP "\xc2\xa0"

static struct str trim(struct str s)
{
	for (;;) {
		struct str was = s = str_trim(s);

		if (str_starts(s, NBSP))
			s = str_sub(s, 2, s.n);
		if (str_ends(s, NBSP))
			s.n -= 2;
		while (s.n > 0 && s.p[0] == '*')
			s = str_sub(s, 1, s.n);
		while (s.n > 0 && s.p[s.n - 1] == '*')
			s.n--;
		if (s.n == was.n)
			return s;
	}
}

int words_header(struct str line)
{
	struct str label;
	ptrdiff_t colon;
	size_t i;

	line = trim(str_sub(line, 0, 80));
	colon = str_chr(line, ':');
	if (colon <= 0 || colon > 40) {
		colon = str_find(line, STR("\xef\xbc\x9a")); /* full width */
		if (colon <= 0 || colon > 40)
			return WORDS_NONE;
	}
	label = trim(str_sub(line, 0, (size_t)colon));
	for (i = 0; i < COUNT(headers); i++)
		if (str_iis(label, headers[i].label))
			return headers[i].kind;
	return WORDS_NONE;
}

bool words_separator(struct str line)
{
	static const char *const originals[] = {
	    "Original Message",
	    "Original-Nachricht",
	    "Originalnachricht",
	    "Ursprüngliche Nachricht",
	    "Ursprüngliche Mail",
	    "Urspruengliche Nachricht",
	    "Message d'origine",
	    "Message d\xe2\x80\x99origine",
	    "Message original",
	    "Mensaje original",
	    "Messaggio originale",
	    "Messaggio Originale",
	    "Oorspronkelijk bericht",
	    "Mensagem original",
	    "Mensagem Original",
	    "Ursprungligt meddelande",
	    "Originalmeddelande",
	    "Oprindelig meddelelse",
	    "Original meddelelse",
	    "Opprinnelig melding",
	    "Oryginalna wiadomość",
	    "Wiadomość oryginalna",
	    "Исходное сообщение",
	    "Оригинальное сообщение",
	    "Původní zpráva",
	    "Alkuperäinen viesti",
	    "Eredeti üzenet",
	    "Orijinal İleti",
	    "原始邮件",
	    "Oprindelig Besked",
	};
	struct str s = str_trim(line);
	size_t i, dashes = 0;

	if (s.n > 120)
		return false;
	while (s.n > 0 && s.p[0] == '-') {
		s = str_sub(s, 1, s.n);
		dashes++;
	}
	while (s.n > 0 && s.p[s.n - 1] == '-')
		s.n--;
	if (dashes < 3)
		return false;
	s = str_trim(s);
	for (i = 0; i < COUNT(originals); i++)
		if (str_iis(s, originals[i]))
			return true;
	return false;
}

bool words_forwards(struct str line)
{
	struct str s = str_trim(line);

	return str_starts(s, "---") || str_ends(s, ":");
}

static bool has_digit(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] >= '0' && s.p[i] <= '9')
			return true;
	return false;
}

/* The text before the final colon, or STR_NONE. */
static struct str before_colon(struct str s)
{
	s = trim(s);
	if (str_ends(s, ":"))
		s.n--;
	else if (str_ends(s, "\xef\xbc\x9a"))
		s.n -= 3;
	else
		return STR_NONE;
	return trim(s);
}

/* `word` stands in s between blanks, marks or ends. */
static bool has_word(struct str s, const char *word)
{
	struct str w = str_of(word);
	ptrdiff_t at;

	while ((at = str_ifind(s, w)) >= 0) {
		struct str behind = str_sub(s, (size_t)at + w.n, s.n);
		char c = at > 0 ? s.p[at - 1] : ' ';
		char d = behind.n > 0 ? behind.p[0] : ' ';

		if (strchr(" ,>)]\"'\t", c) != NULL &&
		    strchr(" ,<(\t", d) != NULL)
			return true;
		s = behind;
	}
	return false;
}

bool words_attribution(struct str line, bool joined)
{
	/* Any place in the line. */
	static const char *const verbs[] = {
	    "wrote",	  "writes",	"schrieb",     "geschrieben",
	    "schrieben",  "a écrit",	"écrit",       "escribió",
	    "escribio",	  "ha scritto", "scritto",     "schreef",
	    "geschreven", "escreveu",	"skrev",       "skreiv",
	    "napisał",	  "napisała",	"napisał(a)",  "napisał/a",
	    "pisze",	  "написал",	"написала",    "написал(а)",
	    "писал",	  "писала",	"пишет",       "пише",
	    "написав",	  "kirjoitti",	"napsal",      "napsal(a)",
	    "napísal",	  "írta",	"yazdı",       "şunu yazdı",
	    "a scris",	  "escrigué",	"va escriure",
	};
	/* No blanks around words there. */
	static const char *const ends[] = {"写道", "寫道", "님이 작성",
					   "書きました", "のメール"};
	struct str s = before_colon(line);
	bool dated = has_digit(s), mail = str_chr(s, '@') >= 0;
	size_t i;

	if (s.p == NULL || s.n > 500 || (joined && !dated))
		return false;
	if (dated && mail)
		return true; /* "ср, 25 нояб. 2026 г. в 10:00, A <a@b>:" */
	for (i = 0; i < COUNT(ends); i++)
		if (str_ends(s, ends[i]))
			return true;
	for (i = 0; i < COUNT(verbs); i++) {
		if (!has_word(s, verbs[i]))
			continue;
		/* Without date or address only "John Doe wrote:". */
		if (dated || mail || (s.n < 80 && str_ends(s, verbs[i])))
			return true;
	}
	return false;
}

bool words_opener(struct str line)
{
	static const char *const openers[] = {
	    "On ",	  "Am ",  "Le ",     "El ",   "Il ", "Op ", "Em ",
	    "På ",	  "Den ", "W dniu ", "Dnia ", "В ",  "Od ", "In data ",
	    "Il giorno ", "Ons ", "A ",	     "Dne ",  "Pe ",
	};
	struct str s = trim(line);
	size_t i;

	if (!has_digit(s))
		return false;
	if (has_digit(str_sub(s, 0, 1)))
		return true;
	for (i = 0; i < COUNT(openers); i++)
		if (str_istarts(s, openers[i]))
			return true;
	/* "ср, 25 ...", "mer. 4 déc.", "Wed, 4 Dec" */
	for (i = 2; i < s.n && i < 14; i++)
		if (s.p[i] == ' ')
			return (s.p[i - 1] == ',' || s.p[i - 1] == '.') &&
			       has_digit(str_sub(s, i + 1, 2));
	return false;
}
