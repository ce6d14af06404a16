add_fuzz(manifest DEPS tt_manifest)
add_fuzz(keyobject DEPS tt_manifest)
add_fuzz(import DEPS tt_verify)
add_fuzz(verify_name DEPS tt_verify)
