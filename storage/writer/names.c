/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/writer/names.h"

#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "storage/wire/policy_rules.h"

#define LEAVE_S 1 /* how long names_close waits for a question that is under way */

struct known {
    struct known *next;
    uid_t uid;
    bool known, asked;
    uint64_t asked_us, known_us;
    char *user;   /* owned; NULL: NSS has none */
    char *groups; /* owned: those of names_groups that it is in, ' ' around each */
};

/* What the thread works on: nobody else touches it while it is away. */
struct question {
    uid_t uid;
    char *groups; /* owned copy */
    unsigned era;
    char *user, *in; /* the answer, owned */
};

struct names {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    bool has_thread, stop, abandoned, away; /* away: the thread has the question */
    int done_fd;
    struct question now; /* under the lock */
    bool answered;
    /* the caller's alone */
    struct known *list;
    size_t n;
    char *groups;
    unsigned era;
};

/* ---- NSS ---- */

static char *name_of(uid_t uid)
{
    char text[16384];
    struct passwd entry, *found = NULL;

    return getpwuid_r(uid, &entry, text, sizeof text, &found) == 0 && found != NULL
               ? strdup(found->pw_name)
               : NULL;
}

/* The groups of ${of} that the user is in; ${of} is cut up. */
static char *groups_in(uid_t uid, char *of)
{
    size_t size = strlen(of) + 3, len = 1;
    char *in = calloc(1, size), *rest = of, *word;
    struct policy_user user;

    if (in == NULL || *of == '\0' || policy_user_open(&user, uid, NULL) != 0) {
        return in;
    }
    in[0] = ' ';
    while ((word = strsep(&rest, " ")) != NULL) {
        if (*word != '\0' && policy_user_member(&user, word)) {
            len += (size_t)snprintf(in + len, size - len, "%s ", word);
        }
    }
    policy_user_close(&user);
    return in;
}

static void answer(struct question *q)
{
    q->user = name_of(q->uid);
    q->in = groups_in(q->uid, q->groups);
}

static void drop_answer(struct question *q)
{
    free(q->user);
    free(q->in);
    free(q->groups);
    memset(q, 0, sizeof *q);
}

/* ---- the thread ---- */

static void free_all(struct names *n)
{
    struct known *k;

    while ((k = n->list) != NULL) {
        n->list = k->next;
        free(k->user);
        free(k->groups);
        free(k);
    }
    drop_answer(&n->now);
    free(n->groups);
    pthread_cond_destroy(&n->work);
    pthread_mutex_destroy(&n->lock);
    free(n);
}

static void *serve(void *arg)
{
    struct names *n = arg;
    bool abandoned;

    pthread_mutex_lock(&n->lock);
    while (!n->stop) {
        struct question q;
        uint64_t one = 1;

        if (!n->away) {
            pthread_cond_wait(&n->work, &n->lock);
            continue;
        }
        q = n->now;
        memset(&n->now, 0, sizeof n->now);
        pthread_mutex_unlock(&n->lock);
        answer(&q);
        pthread_mutex_lock(&n->lock);
        n->now = q;
        n->answered = true;
        n->away = false;
        if (!n->stop) {
            (void)!write(n->done_fd, &one, sizeof one);
        }
    }
    abandoned = n->abandoned;
    pthread_mutex_unlock(&n->lock);
    if (abandoned) {
        free_all(n);
    }
    return NULL;
}

int names_open(struct names **ret, int done_fd, struct error *err)
{
    struct names *n = calloc(1, sizeof *n);
    int rc = 0;

    if (n == NULL || (n->groups = strdup("")) == NULL) {
        free(n);
        return err_sys(err, "allocate");
    }
    n->done_fd = done_fd;
    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->work, NULL);
    n->has_thread = done_fd >= 0;
    rc = n->has_thread ? pthread_create(&n->thread, NULL, serve, n) : 0;
    if (rc != 0) {
        errno = rc;
        err_sys(err, "start the thread that asks for names");
        n->has_thread = false;
        free_all(n);
        return -1;
    }
    *ret = n;
    return 0;
}

void names_close(struct names *n)
{
    struct timespec until;

    if (n == NULL) {
        return;
    }
    if (n->has_thread) {
        pthread_mutex_lock(&n->lock);
        n->stop = true;
        pthread_cond_signal(&n->work);
        pthread_mutex_unlock(&n->lock);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += LEAVE_S;
        if (pthread_timedjoin_np(n->thread, NULL, &until) != 0) {
            pthread_mutex_lock(&n->lock);
            if (n->away) {
                n->abandoned = true;
                pthread_detach(n->thread);
                pthread_mutex_unlock(&n->lock);
                return;
            }
            pthread_mutex_unlock(&n->lock);
            pthread_join(n->thread, NULL);
        }
    }
    free_all(n);
}

/* ---- what is known ---- */

static struct known *find(struct names *n, uid_t uid)
{
    struct known *k = n->list;

    while (k != NULL && k->uid != uid) {
        k = k->next;
    }
    return k;
}

/* The oldest go first: the list's end. */
static void forget_oldest(struct names *n)
{
    struct known **at = &n->list, *old;

    while ((*at)->next != NULL) {
        at = &(*at)->next;
    }
    old = *at;
    *at = NULL;
    free(old->user);
    free(old->groups);
    free(old);
    n->n--;
}

static struct known *find_or_add(struct names *n, uid_t uid)
{
    struct known *k = find(n, uid);

    if (k == NULL && (k = calloc(1, sizeof *k)) != NULL) {
        if (n->n == NAMES_MOST) {
            forget_oldest(n);
        }
        k->uid = uid;
        k->next = n->list;
        n->list = k;
        n->n++;
    }
    return k;
}

static void learn(struct names *n, struct question *q)
{
    struct known *k = q->era == n->era ? find(n, q->uid) : NULL;

    if (k != NULL) {
        free(k->user);
        free(k->groups);
        k->user = q->user;
        k->groups = q->in;
        q->user = q->in = NULL;
        k->known = true;
        k->asked = false;
        k->known_us = clock_boot_us();
    }
    drop_answer(q);
}

/* With the lock: takes an answer that is there. */
static void collect(struct names *n)
{
    if (n->answered) {
        n->answered = false;
        learn(n, &n->now);
    }
}

static int put(struct names *n, uid_t uid)
{
    n->now = (struct question){.uid = uid, .groups = strdup(n->groups), .era = n->era};
    return n->now.groups == NULL ? -1 : 0;
}

int names_groups(struct names *n, const char *groups, struct error *err)
{
    char *copy = strdup(groups);

    if (copy == NULL) {
        return err_sys(err, "allocate");
    }
    pthread_mutex_lock(&n->lock);
    collect(n);
    pthread_mutex_unlock(&n->lock);
    free(n->groups);
    n->groups = copy;
    n->era++;
    for (struct known *k = n->list; k != NULL; k = k->next) {
        k->known = k->asked = false;
    }
    return 0;
}

static bool fresh(const struct known *k, uint64_t now)
{
    return k->known && now - k->known_us < NAMES_FRESH_US;
}

/* Gives the thread the question, if it is idle. */
static void ask(struct names *n, struct known *k, uint64_t now)
{
    if (!k->asked) {
        k->asked = true;
        k->asked_us = now;
    }
    if (!n->away && put(n, k->uid) == 0) {
        n->away = true;
        pthread_cond_signal(&n->work);
    }
}

bool names_ready(struct names *n, uid_t uid)
{
    struct known *k = find_or_add(n, uid);
    uint64_t now;

    if (k == NULL) {
        return true;
    }
    pthread_mutex_lock(&n->lock);
    collect(n);
    now = clock_boot_us(); /* not before what was just learnt */
    if (!fresh(k, now) && n->has_thread) {
        ask(n, k, now);
    } else if (!fresh(k, now) && put(n, uid) == 0) {
        answer(&n->now);
        learn(n, &n->now);
        now = clock_boot_us();
    }
    pthread_mutex_unlock(&n->lock);
    if (fresh(k, now) || !n->has_thread) {
        return true;
    }
    if (now - k->asked_us < NAMES_WAIT_US) {
        return false;
    }
    log_line(LOG_LEVEL_WARN, "names-slow uid=%lu known=%s", (unsigned long)uid,
             k->known ? "before" : "no");
    return true;
}

char *names_user(struct names *n, uid_t uid, char *ret, size_t size)
{
    const struct known *k = find(n, uid);

    if (k != NULL && k->user != NULL) {
        (void)snprintf(ret, size, "%s", k->user);
    } else {
        (void)snprintf(ret, size, "%lu", (unsigned long)uid);
    }
    return ret;
}

bool names_member(struct names *n, uid_t uid, const char *group)
{
    const struct known *k = find(n, uid);
    char word[256];
    int len = snprintf(word, sizeof word, " %s ", group);

    return k != NULL && k->groups != NULL && len > 0 && (size_t)len < sizeof word &&
           strstr(k->groups, word) != NULL;
}
