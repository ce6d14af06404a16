#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""verify.py DIR [HOST...]: verify what ttytrail shipped, without ttytrail: a directory, or a bucket copied by `aws s3 sync`; HOSTs have
to be there.  It needs openssl(1); docs/VERIFY.md says why.  Keys: trust on first use.  Exit status 0, 1 with findings, 2 usage, 3 unreadable."""
import collections, hashlib, json, os, pathlib, re, stat, subprocess, sys, tempfile, time
NAME = re.compile(r"(?P<base>(?:keys|(?:batches|packs)/dt=\d{4}-\d\d-\d\d)/host=[A-Za-z0-9_:@+-][A-Za-z0-9_.:@+-]{0,127}/(?:[0-9a-f]{32}-\d+\.json|\d{12}-\d{8}T\d{6}Z-[0-9a-f]{64}\.(?:json|cast\.gz)))(?:\.r\d+)?", re.A)
LARGEST, NUMBERS, SLACK, said, tmp = {"keys": 1 << 14, "batches": 1 << 26, "packs": 1 << 62}, 10**12, 600 * 10**6, set(), tempfile.TemporaryDirectory()
late, firsts, KEY, MANIFEST, OPENSSL = set(), {}, b"ttytrail key 1\n", b"ttytrail manifest 1\n", "openssl pkeyutl -verify -pubin -keyform DER -inkey k -rawin -in m -sigfile s"
FORM = {n: re.compile(r) for r, names in (("[0-9a-f]{32}", "id session epoch"), ("[0-9a-f]{64}", "sha256 head composition previous_head"), ("[0-9]{1,19}", "seq next offset length created_us")) for n in names.split()}
def fail(why, kind=ValueError): raise kind(why)
def say(verdict, what, *texts): said.add(verdict); print(verdict, what, *(t.encode("unicode_escape").decode() for t in (*texts, "")[:2]), sep="\t")
def sha(*parts): return hashlib.sha256(b"".join(parts)).hexdigest()
def digest(name, at, left):
    h, f = hashlib.sha256(), open(name, "rb")
    while f.seek(at) == at and (part := f.read(min(left, 1 << 20))): h.update(part); left -= len(part); at += len(part)
    return h.hexdigest()
def document(line): return json.loads(line, parse_constant=int, object_pairs_hook=lambda p: dict(reversed(p)))  # of two members the first counts
def ed25519(public, message, sig):
    files = {"m": message, "s": bytes.fromhex(sig), "k": bytes.fromhex("302a300506032b6570032100" + public)}
    for name in files: pathlib.Path(tmp.name, name).write_bytes(files[name])
    return not subprocess.run(OPENSSL.split(), cwd=tmp.name, capture_output=True, check=False).returncode
def signed(line, public, domain): return (m := re.fullmatch(rb',"sig":"([0-9a-f]{128})"}\n', line[-139:])) and ed25519(public, domain + line[:-139], m[1].decode())
def objects(room):  # name, without .rN, size, time (us) and (not of a pack) bytes; what is not ours or cannot be read is a finding
    for where, dirs, names in os.walk(room) if not os.path.islink(room) else say("unsigned", "object", room, "a link") or ():
        for name in sorted(os.path.join(where, n) for n in names + dirs):
            s, m, line = os.lstat(name), NAME.fullmatch(name), b""
            if stat.S_ISDIR(s.st_mode) or name.endswith(".tmp") or name.endswith("/probe") and s.st_size == 15: continue
            ok = m and stat.S_ISREG(s.st_mode) and s.st_size <= LARGEST[room]
            if ok and room != "packs": line = pathlib.Path(name).read_bytes()
            if ok and sum(line.count(c) for c in (b",", b":", b"[", b"{")) <= 4 << 20:
                yield name, m["base"], s.st_size, s.st_mtime_ns // 1000, line
            else: say("unsigned", "object", name, "nothing of ours has such a name, kind or size")
def read_keys():  # by host, epoch, number
    numbers, keys = collections.defaultdict(list), {}
    for name, base, _, mtime, line in objects("keys"):
        try:
            k = document(line)
            place, before = (k["host"], k["epoch"], k["number"]), k.get("previous_key")
            if not ([type(x) for x in place] == [str, str, int] and signed(line, k["public_key"], KEY) and k["ttytrail"] == "key"): fail("not signed by itself")
            k.update({"from": int(k.get("from_seq") or 1), "mtime": mtime, "name": name, "vouched": not before or ed25519(before, KEY + line[:line.index(b',"previous_sig":')], k["previous_sig"])})
            say("altered", "object", name, "a key of elsewhere") if base != "keys/host=%s/%s-%d.json" % place else numbers[place].append(k)
        except Exception as e: say("unsigned", "object", name, str(e))
    for place, copies in sorted(numbers.items()):
        before, k = keys.get((*place[:2], place[2] - 1)), min(copies, key=lambda k: (k["mtime"], k["name"]))  # the first that was stored
        for c in [c for c in copies if c["public_key"] != k["public_key"]]: say("altered", "object", c["name"], "another key under a number that is taken")
        if k["vouched"] and (k["from"] == 1 if place[2] == 1 else before and k["previous_key"] == before["public_key"] and k["from"] > before["from"]): keys[place] = k
        else: say("altered", "object", k["name"], "it does not follow the key before it")
    for k in sorted((k for p, k in keys.items() if p[2] == 1), key=lambda k: (k["mtime"], k["name"])): firsts.setdefault(k["epoch"], k) is k or say("altered", "object", k["name"], "its epoch is that of another host")
    return {p: k for p, k in keys.items() if firsts[p[1]]["host"] == p[0]}
def parent(k): return k.get("previous_key") and tuple(by_public.get(k["previous_key"], {}).get(n) for n in ("host", "epoch"))
def descends(epoch, birth, n=0):  # whether it is that epoch, or the keys of that one vouch for it
    return epoch == birth or n < 256 and epoch in firsts and descends((parent(firsts[epoch]) or "  ")[1], birth, n + 1)
def composition(m):  # the digest that a manifest's head is made of, and its pack; ValueError for what does not fit together
    pack, w, at = m["objects"][0] if m["objects"] else {"size": 0, "sha256": sha()}, m.get("withheld"), 0
    text = ["ttytrail batch 1", *(m[n] for n in "kind host epoch seq created_us".split()), "%s %d" % (pack["sha256"], pack["size"]),
            *(["withheld %d %s %s" % (w["seq"], w["sha256"], w["head"])] if w else [])]
    for s in [m, *m["segments"], *m["sessions"], *m["open"], *([w, *w["segments"]] if w else [])]: all(FORM[n].fullmatch(str(s[n])) for n in s if n in FORM) or fail("a member is not of its form")
    for s in m["segments"]:
        text.append("%s %s %d %d %d %s %s %d" % tuple(s[n] for n in "session epoch seq offset length sha256 head final".split()))
        at += s["length"] if s["offset"] == at and s["length"] > 0 and s["seq"] <= NUMBERS else fail("its segments do not lie end to end")
    if at != pack["size"] or bool(at) != (m["kind"] == "batch") or m["kind"] not in "batch heartbeat boot stop withheld".split() or \
            bool(w) != (m["kind"] == "withheld") or w and (not w["reason"] or not w["composition"] or w["seq"] >= m["seq"]): fail("what it holds")
    return sha("".join("%s\n" % t for t in text).encode()), pack
def read_pack(copies, segments, pack):  # how it is, and each segment: whichever copy has the signed bytes; of a wrong size a few
    verdict, each, good, bad = "gap", ["gap"] * len(segments), None, []
    for name, size in copies:
        good = name if size == pack["size"] and digest(name, 0, size) == pack["sha256"] else bad.append((size != pack["size"], name, size)) or good
    for _, name, _ in bad if good else (): say("versions", "object", name, "not the bytes that were signed; those are in " + good)
    for _, name, size in [] if good else [b for b in bad if not b[0]] + [b for b in bad if b[0]][:4]:
        verdict = "truncated" if size < pack["size"] else "altered"
        each = [v if v == "complete" else verdict if size < s["offset"] + s["length"] else "complete" if
                digest(name, s["offset"], s["length"]) == s["sha256"] else "altered" for v, s in zip(each, segments)]
    return ("complete", ["complete"] * len(segments)) if good else (verdict, each)
def read_manifests():  # by host and epoch
    for name, where, _, mtime, line in objects("batches"):
        public = re.search(rb',"public_key":"([0-9a-f]{64})"', line[:4096])  # nothing is parsed before its signature holds
        try:
            if not public or line[-139:-131] != b',"sig":"': say("unsigned", "batch", name); continue
            k = by_public.get(public[1].decode()) or fail("no key object tells of its key", PermissionError)
            m = document(line) if signed(line, k["public_key"], MANIFEST) else fail("its signature does not hold")
            (total, pack), day = composition(m), time.strftime("%Y-%m-%d %Y%m%dT%H%M%SZ", time.gmtime(m["created_us"] // 10**6)).split()
            place, base = (m["host"], m["epoch"]), "dt=%s/host=%s/%012d-%s-%s" % (day[0], m["host"], m["seq"], day[1], pack["sha256"])
            signs = keys.get((*place, m["key"])) is k and k["from"] <= m["seq"] < keys.get((*place, m["key"] + 1), {"from": 1 << 63})["from"]
            signs or fail("its key does not sign this batch", PermissionError)
            where == "batches/%s.json" % base or fail("batch %d of %s stands here" % (m["seq"], m["host"]))
            sha(bytes.fromhex(m["previous_head"] + total)) == m["head"] or fail("its head is not of its composition")
            verdict, each = read_pack(packs["packs/%s.cast.gz" % base], m["segments"], pack) if m["segments"] else ("complete", [])
            m.update(name=name, stored=mtime, us=mtime - (m.get("skew_us") or 0), line=sha(line), pack=verdict, segments=list(zip(m["segments"], each)),
                     open=[(o["session"], o["next"]) for o in m["open"]], rows=[(s["id"], s["host"].encode(), s["state"] + "") for s in m["sessions"]],
                     lost=[(s["session"], s["seq"], s["sha256"]) for s in (m.get("withheld") or {"segments": ()})["segments"]])
            epochs[place].append(m)
        except Exception as e: say("unknown key" if isinstance(e, PermissionError) else "altered", "batch", name, str(e))
def check_epoch(host, epoch, batches):  # follow one epoch's chain; the batches that count
    first, withheld, last, expected, head = {}, {}, None, 1, sha(("ttytrail batches 1\n%s\n%s\n" % (host, epoch)).encode())
    for b in sorted(batches, key=lambda b: (b["seq"], b["us"], b["name"])):
        if first.setdefault(b["seq"], b)["line"] != b["line"]: say("altered", "batch", b["name"], "two manifests under one number")
        elif b["kind"] == "withheld" and withheld.setdefault(b["withheld"]["seq"], b)["line"] != b["line"]: say("altered", "batch", b["name"], "withheld twice")
    for seq in sorted({*first, *withheld}):
        b, w, name = first.get(seq), seq in withheld and withheld[seq]["withheld"], (first.get(seq) or withheld[seq])["name"]
        if seq > expected: head = say("gap", "batch", name, "%d before it missing" % (seq - expected))
        if head and (b["previous_head"] != head if b else sha(bytes.fromhex(head + w["composition"])) != w["head"]): say("altered", "batch", name, "it does not follow")
        if b and w and b["line"] != w["sha256"]: say("altered", "batch", name, "it is not what was withheld")
        if b and not (last["created_us"] if last else 0) - SLACK <= b["created_us"] <= b["us"] + SLACK: say("back-dated", "batch", name, "its time does not fit")
        if b and not w and b["pack"] != "complete": say(b["pack"], "batch", name, "its pack")
        head, expected, last = (b or w)["head"], seq + 1, b or last
    return [b for b in first.values() if b["seq"] not in withheld]
def own(i, parts):  # of a session its own host's segments, and the epoch that they descend from: the first by the store's clock says whose it is
    good = [p for p in parts if p[6]["epoch"] in firsts and descends(p[5][1], p[6]["epoch"])] or [p for p in parts if p[6]["epoch"] not in firsts]
    *_, (_, e), s, _ = min(good, key=lambda p: (p[7], p[2], p[3]), default=(("", ""), {"epoch": ""}, 0))
    e, anchor = s["epoch"], s["epoch"] if s["epoch"] in firsts else e
    mine = sorted((p for p in parts if p[6]["epoch"] == e and descends(p[5][1], anchor)), key=lambda p: p[:4])
    have = {(p[0], p[6]["sha256"], p[6]["head"]) for p in mine}
    for name in sorted({p[3] for p in parts if (p[0], p[6]["sha256"], p[6]["head"]) not in have}): say("altered", "batch", name, "what it has of session %s is signed by another host" % i)
    return mine, anchor
def check_session(i, parts, anchor, rows, opened, absent):  # every segment once, one chain, over what was withheld, up to what was promised
    def worse(v): return v if verdict in ("", "withheld") else verdict
    def link(n, s): return head and sha(bytes.fromhex(head), n.to_bytes(8, "big"), bytes.fromhex(s))
    row, promised = (max((d[e] for e in d if not anchor or descends(e, anchor)), default=None) for d in (rows, opened))
    came, verdict, n, last, head = {p[0] for p in parts}, "", 0, {}, None
    late.update(a[3] for a in absent if a[0] not in came)
    absent = {a[0]: a[2] for a in reversed(absent) if not anchor or descends(a[1], anchor)}
    if parts and row: head = sha(b"ttytrail session chain\0\1", len(row[1]).to_bytes(2, "big"), row[1], bytes.fromhex(parts[0][6]["epoch"] + i))
    for seq, _, _, _, how, place, s, _ in parts + ([] if parts and parts[-1][6]["final"] else [(promised or 0, 0, 0, 0, "", 0, {}, 0)]):
        if s and last and last["seq"] == seq:  # again: in another epoch, and the same, it is no finding
            verdict = worse("altered") if (s["sha256"], s["head"]) != (last["sha256"], last["head"]) else worse("repeated") if place == where else verdict; continue
        while n < seq and n in absent: verdict, head, n = verdict or "withheld", link(n, absent[n]), n + 1
        if n < seq: verdict, head = worse("gap" if s else "truncated"), None
        if s and how != "complete": verdict = worse(how)
        if s and (last.get("final") or head and link(seq, s["sha256"]) != s["head"]): verdict = worse("altered")
        if s: head, n, last, where = s["head"], seq + 1, s, place
    if parts or promised: say(verdict or ("open" if not last.get("final") else "cut" if row and row[2] == "cut" else "complete"), "session", i)
if len(sys.argv) < 2 or not any(os.path.isdir(os.path.join(sys.argv[1], room)) for room in LARGEST):
    sys.exit(print(__doc__ + "\nNo such directory, or no keys/, batches/, packs/ in it", file=sys.stderr) or (3 if sys.argv[1:] else 2))
os.chdir(sys.argv[1])
keys, epochs, packs, parts, absent, rows, opened = read_keys(), *(collections.defaultdict(list) for _ in "1234"), *(collections.defaultdict(dict) for _ in "12")
by_public = {k["public_key"]: k for k in keys.values()}
for name, base, size, *_ in objects("packs"): packs[base].append((name, size))
read_manifests()
if not os.path.isdir("batches"): say("gap", "store", "batches/", "no manifest")
for host in {*sys.argv[2:]} - {e[0] for e in epochs}: say("gap", "host", host, "it never shipped")
for k in [k for k in firsts.values() if parent(k) and parent(k) not in epochs]: say("gap", "object", k["name"], "the epoch that it follows is missing")
for e, b in ((place[1], b) for place, batches in sorted(epochs.items()) for b in check_epoch(*place, batches)):
    for i, *row in b["rows"]: rows[i][e] = max(rows[i].get(e, []), [b["created_us"], *row])
    for i, n in b["open"]: opened[i][e] = max(opened[i].get(e, 0), n)
    for i, n, digest_of in b["lost"]: absent[i].append((n, e, digest_of, b["name"]))
    for s, v in b["segments"]: parts[s["session"]].append((s["seq"], v != "complete", b["created_us"], b["name"], v, (b["host"], e), s, b["stored"]))
for i in {*parts, *opened, *absent}: check_session(i, *own(i, parts[i]), rows[i], opened[i], absent[i])
for name in late: say("withheld", "batch", name)
sys.exit(bool(said - {"complete", "open", "cut"}))
