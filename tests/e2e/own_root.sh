#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whether this machine lets root have a root directory, processes and a network of its own over this one: what tests of an
# installed system stand on.  0, or 1 with the reason.  Leaves nothing behind.
exec unshare -m -p -n -i -u --fork --kill-child --propagation private sh -c '
    mount -t tmpfs none /mnt && mkdir /mnt/upper /mnt/work /mnt/root &&
        mount -t overlay none -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root &&
        mount -t proc none /mnt/root/proc && mount -t tmpfs none /mnt/root/dev && mkdir /mnt/root/dev/pts &&
        mount -t devpts -o newinstance none /mnt/root/dev/pts && chroot /mnt/root true' 2>&1
