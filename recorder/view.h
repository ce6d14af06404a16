/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The screen as the user sees it, fed lazily: output is kept until somebody looks, which is when a
 * key arrives or waits.  A flood without keys costs a copy: of what is more than VIEW_KEPT old only
 * the switches of modes are fed.  Knows nothing of keys.  Invariant: after view_sync the model
 * holds all output, but for what a flood of more than VIEW_KEPT left unread, which scrolled away or
 * was drawn over in all but odd cases.
 */
#ifndef TTYTRAIL_RECORDER_VIEW_H
#define TTYTRAIL_RECORDER_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include "recorder/secrets.h"
#include "screen/screen.h"

#define VIEW_HALF 131072U
#define VIEW_KEPT VIEW_HALF /* at least the newest so many bytes are fed whole */

struct view {
    struct secrets *secrets; /* borrowed */
    struct screen *screen;   /* NULL until it is needed, or when there is no memory for it */
    int rows, cols;
    void (*on_event)(void *user, const struct screen_event *event);
    void *user;
    uint8_t *half[2]; /* what is not fed yet: the older half is full or empty */
    size_t len[2];
    unsigned newer;
    uint64_t generation; /* counts what was fed: a snapshot of it holds while this does */
};

void view_open(struct view *v, struct secrets *secrets, int rows, int cols,
               void (*on_event)(void *, const struct screen_event *), void *user);
void view_close(struct view *v);

/** view_keep(v, bytes, len): Output that nobody looks at yet. */
void view_keep(struct view *v, const uint8_t *bytes, size_t len);
/** view_sync(v): Feed what was kept. */
void view_sync(struct view *v);
/** view_feed(v, bytes, len): Feed now; everything before has been synced. */
void view_feed(struct view *v, const uint8_t *bytes, size_t len);
void view_resize(struct view *v, int rows, int cols);

/** view_cursor(v, ret_absrow, ret_col): Where the cursor is; 0, 0 without a model. */
void view_cursor(const struct view *v, int64_t *ret_absrow, int *ret_col);
/** view_snapshot(v): A hash of what stands in the cursor's row and the row above, and which row it
 * is. */
uint64_t view_snapshot(const struct view *v);
/** view_is_blank(v, from, to): Whether columns [from, to) of the cursor's row hold nothing, or one
 * and the same character that is no letter: the rest of a field. */
bool view_is_blank(const struct view *v, int from, int to);
/** view_text(v, row, from, to, ret): Characters of ${row} in columns [from, to), blanks for erased
 * ones, tails of wide ones left out; their number, at most to - from. */
size_t view_text(const struct view *v, int row, int from, int to, uint32_t *ret);

#endif
