/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/prompt.h"

#include <string.h>

#include "common/utf8.h"

/* PART: anywhere.  WORD: not within a longer word.  LAST: a word that the text ends with, before
 * one of ": > ? =" and blanks. */
enum how { PART, WORD, LAST };

/* In lower case and without combining characters, as folded() leaves the text. */
static const struct {
    const char *text;
    enum how how;
} words[] = {
    /* English, and what programs of every language print */
    {"password", PART},
    {"passphrase", PART},
    {"passcode", PART},
    {"passkey", PART},
    {"passwd", PART},
    {"pass word", PART},
    {"pass phrase", PART},
    {"pass-phrase", PART},
    {"pass code", PART},
    {"secret", PART},
    {"credential", PART},
    {"api key", PART},
    {"api-key", PART},
    {"api_key", PART},
    {"apikey", PART},
    {"access key", PART},
    {"verification code", PART},
    {"security code", PART},
    {"recovery code", PART},
    {"recovery key", PART},
    {"one-time", PART},
    {"one time", PART},
    {"onetime", PART},
    {"authenticator", PART},
    {"unlock", PART},
    {"decrypt", PART},
    {"encryption key", PART},
    {"encrypt key", PART},
    {"license key", PART},
    {"licence key", PART},
    {"pin", WORD},
    {"puk", WORD},
    {"otp", WORD},
    {"totp", WORD},
    {"mfa", WORD},
    {"2fa", WORD},
    {"cvv", WORD},
    {"token", WORD},
    {"key", LAST},
    {"code", LAST},
    {"pass", LAST},
    /* German, Dutch, the North */
    {"passwort", PART},
    {"kennwort", PART},
    {"passwörter", PART},
    {"geheim", PART},
    {"schlüssel", LAST},
    {"wachtwoord", PART},
    {"wachtzin", PART},
    {"lösenord", PART},
    {"lösen", LAST},
    {"adgangskode", PART},
    {"adgangsord", PART},
    {"passord", PART},
    {"lykilorð", PART},
    {"salasana", PART},
    {"tunnusluku", PART},
    {"parool", PART},
    {"slaptažod", PART},
    /* Romance languages */
    {"contraseña", PART},
    {"contrasena", PART},
    {"contrasenya", PART},
    {"clave", LAST},
    {"mot de passe", PART},
    {"mots de passe", PART},
    {"phrase de passe", PART},
    {"phrase secrète", PART},
    {"senha", PART},
    {"palavra-passe", PART},
    {"palavra passe", PART},
    {"parol", PART}, /* parola, parole, parolă; Uzbek parol; Latvian parole */
    {"pasahitza", PART},
    /* Slavic languages, Hungarian */
    {"hasło", PART},
    {"haslo", PART},
    {"hasła", PART},
    {"heslo", PART},
    {"hesla", PART},
    {"lozink", PART},
    {"šifra", PART},
    {"geslo", PART},
    {"jelsz", PART},
    {"пароль", PART},
    {"пароля", PART},
    {"парола", PART},
    {"лозинк", PART},
    {"гасло", PART},
    {"кодовое слово", PART},
    {"фраза", LAST},
    /* Greek, Turkish, Semitic and Iranian languages */
    {"κωδικ", PART},
    {"συνθηματικ", PART},
    {"şifre", PART},
    {"sifre", PART},
    {"كلمة المرور", PART},
    {"كلمة السر", PART},
    {"كلمة مرور", PART},
    {"عبارة المرور", PART},
    {"الرقم السري", PART},
    {"סיסמ", PART},
    {"رمز عبور", PART},
    {"گذرواژه", PART},
    /* South and East Asia */
    {"पासवर्ड", PART},
    {"कूटशब्द", PART},
    {"পাসওয়ার্ড", PART},
    {"รหัสผ่าน", PART},
    {"mật khẩu", PART},
    {"mat khau", PART},
    {"kata sandi", PART},
    {"kata laluan", PART},
    {"sandi", LAST},
    {"密码", PART},
    {"密碼", PART},
    {"口令", PART},
    {"通行碼", PART},
    {"パスワード", PART},
    {"パスフレーズ", PART},
    {"暗証番号", PART},
    {"合言葉", PART},
    {"암호", PART},
    {"비밀번호", PART},
    {"패스워드", PART},
};

/* Lower case where upper case is used: Latin, Greek, Cyrillic; full-width Latin becomes ASCII. */
static uint32_t lower(uint32_t c)
{
    if (c >= 0xff01 && c <= 0xff5e) {
        c -= 0xfee0;
    }
    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
        (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f)) {
        return c + 32;
    }
    if (c >= 0x400 && c <= 0x40f) {
        return c + 80;
    }
    if (c == 0x130) {
        return 'i';
    }
    if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177) || (c >= 0x1e00 && c <= 0x1eff)) {
        return c | 1;
    }
    return (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e) ? c + (c & 1) : c;
}

/* Characters that lie on the one before, in the scripts of the table: the screen keeps them apart
 * from it, or not, as it likes. */
static bool combines(uint32_t c)
{
    return (c >= 0x300 && c <= 0x36f) || (c >= 0x591 && c <= 0x5c7) || (c >= 0x64b && c <= 0x65f) ||
           (c >= 0x900 && c <= 0x903) || (c >= 0x93a && c <= 0x94f && c != 0x93d) ||
           (c >= 0x981 && c <= 0x983) || (c >= 0x9bc && c <= 0x9cd && c != 0x9bd) || c == 0xe31 ||
           (c >= 0xe34 && c <= 0xe3a) || (c >= 0xe47 && c <= 0xe4e) || c == 0x200c || c == 0x200d;
}

static uint32_t decode(const char **at)
{
    const uint8_t *p = (const uint8_t *)*at;
    unsigned n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);

    for (unsigned i = 1; i < n; i++) {
        c = c << 6 | (p[i] & 0x3fU);
    }
    *at += n;
    return c;
}

static uint32_t next_of(const char **at)
{
    uint32_t c;

    do {
        if (**at == '\0') {
            return 0;
        }
        c = decode(at);
    } while (combines(c));
    return c;
}

static size_t folded(const uint32_t *text, size_t len, uint32_t *to)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (!combines(text[i])) {
            to[n++] = text[i] == 0xa0 || text[i] == 0x3000 ? ' ' : lower(text[i]);
        }
    }
    return n;
}

static bool is_letter(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c >= 0xc0;
}

/* Where the word that begins at ${i} ends, 0 when it does not stand there. */
static size_t end_of(const char *word, const uint32_t *text, size_t len, size_t i)
{
    uint32_t c;

    while ((c = next_of(&word)) != 0) {
        if (i == len || text[i] != c) {
            return 0;
        }
        i++;
    }
    return i;
}

static bool asks_at_its_end(const uint32_t *text, size_t len, size_t end)
{
    while (end < len && text[end] == ' ') {
        end++;
    }
    if (end == len || (text[end] != ':' && text[end] != '>' && text[end] != '?' &&
                       text[end] != '=' && text[end] != 0xff1a)) {
        return false;
    }
    for (end++; end < len && (text[end] == ' ' || text[end] == '\n'); end++) {
    }
    return end == len;
}

static bool stands_at(const char *word, enum how how, const uint32_t *text, size_t len, size_t i)
{
    size_t end = end_of(word, text, len, i);

    if (end == 0) {
        return false;
    }
    if (how != PART && (i > 0 && is_letter(text[i - 1]))) {
        return false;
    }
    return how == PART   ? true
           : how == WORD ? end == len || !is_letter(text[end])
                         : asks_at_its_end(text, len, end);
}

static bool has_word(const uint32_t *text, size_t len)
{
    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
        const char *head = words[w].text;
        uint32_t first = next_of(&head);

        for (size_t i = 0; i < len; i++) {
            if (text[i] == first && stands_at(words[w].text, words[w].how, text, len, i)) {
                return true;
            }
        }
    }
    return false;
}

/* regexec(3) works on strings of the locale; in "C" a pattern's bytes still find the same bytes. */
static bool matches_own(const struct prompt *p, const uint32_t *text, size_t len)
{
    uint8_t bytes[PROMPT_TEXT * 4 + 1];
    size_t n = 0;
    bool found;

    for (size_t i = 0; i < len; i++) {
        n += utf8_put(text[i] != 0 ? text[i] : ' ', bytes + n);
    }
    bytes[n] = '\0';
    found = regexec(&p->own, (const char *)bytes, 0, NULL, 0) == 0;
    explicit_bzero(bytes, sizeof bytes);
    return found;
}

void prompt_open(struct prompt *p, const char *patterns)
{
    memset(p, 0, sizeof *p);
    p->has_own =
        patterns[0] != '\0' &&
        regcomp(&p->own, patterns, REG_EXTENDED | REG_ICASE | REG_NOSUB | REG_NEWLINE) == 0;
}

void prompt_close(struct prompt *p)
{
    if (p->has_own) {
        regfree(&p->own);
        p->has_own = false;
    }
}

bool prompt_ends_like_one(uint32_t ch)
{
    return ch == ':' || ch == '>' || ch == '?' || ch == '=' || ch == ')' || ch == ']' ||
           ch == '$' || ch == '#' || ch == '%' || ch == 0xff1a || ch == 0xff1f;
}

bool prompt_asks(const struct prompt *p, const uint32_t *text, size_t len)
{
    uint32_t fold[PROMPT_TEXT];
    size_t n;

    if (len > PROMPT_TEXT) {
        text += len - PROMPT_TEXT;
        len = PROMPT_TEXT;
    }
    n = folded(text, len, fold);
    return has_word(fold, n) || (p->has_own && matches_own(p, text, len));
}
