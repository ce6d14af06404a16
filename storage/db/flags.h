/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words that a session's flags may hold, and what they mean: the one list of them, for lists
 * and manuals.  Knows nothing of who sets them.
 */
#ifndef TTYTRAIL_DB_FLAGS_H
#define TTYTRAIL_DB_FLAGS_H

#include <stddef.h>
#include <string.h>

static const struct flag_word {
    const char *word, *meaning;
} flag_words[] = {
    {"blind-command", "a command was typed that the screen did not show"},
    {"clock-jumped", "the clock was set while it ran"},
    {"commit-batch", "shown before it was committed, by the policy"},
    {"cut", "its recorder died: what it had not sent is lost"},
    {"disk-full", "the disk of the recordings was full"},
    {"idle-ended", "ended, since nothing was typed for long"},
    {"imported", "recorded on another host"},
    {"left-behind", "processes outlived it"},
    {"lost-input", "input that waited for a decision was lost with its recorder"},
    {"memory-not-locked", "its recorder's memory may have been swapped out"},
    {"nested", "a shell within it, recorded in it, would have been a session"},
    {"no-echo-region", "much was typed in a row that is not recorded"},
    {"not-recorded", "the policy was not to record it"},
    {"not-redacted", "the policy was to record secrets too"},
    {"outer-tty-shared", "its terminal could not be taken from others who had it open"},
    {"pruned", "bytes of segments were removed here, after they were shipped"},
    {"ring", "kept by its own user for a while, since there was no writer"},
    {"ring-lost", "of what its user kept, the oldest part is lost"},
    {"root", "a process of it became root: sealed and shipped at once"},
    {"stalled", "its recorder did not answer"},
    {"token", "an access token passed and was replaced"},
    {"unwatched", "more processes than are watched for root: sealed and shipped at once"},
    {"writer-lost", "went on without a recording for a while"},
};

/** flags_meaning(word): In words; NULL for a word that is none of ours. */
static inline const char *flags_meaning(const char *word)
{
    for (size_t i = 0; i < sizeof flag_words / sizeof flag_words[0]; i++) {
        if (strcmp(flag_words[i].word, word) == 0) {
            return flag_words[i].meaning;
        }
    }
    return NULL;
}

#endif
