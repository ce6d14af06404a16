add_fuzz(writer DEPS tt_writer Threads::Threads util)
