add_fuzz(manifest DEPS tt_manifest)
