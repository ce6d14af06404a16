add_fuzz(s3_xml DEPS tt_aws)
add_fuzz(credentials DEPS tt_aws)
add_fuzz(http_head DEPS tt_aws)
add_fuzz(sigv4_uri DEPS tt_aws)
