# SPDX-License-Identifier: Apache-2.0
# Run by cpack in the tree that becomes the package: what Debian's packages have and `cmake --install` has not.
set(top ${CPACK_TEMPORARY_DIRECTORY})
set(here ${CPACK_TTYTRAIL_PACKAGING})
set(doc ${top}/usr/share/doc/ttytrail)
if(NOT IS_DIRECTORY ${top}/usr/bin)
  message(FATAL_ERROR "no tree of a package: ${top}")
endif()

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(install -D -m 644 ${here}/ttytrail.conf.example ${top}/etc/ttytrail/ttytrail.conf)
run(install -d -m 755 ${top}/etc/ttytrail/conf.d)
run(install -D -m 755 ${here}/sysv/ttytraild ${top}/etc/init.d/ttytraild)
run(install -D -m 644 ${here}/debian/copyright ${doc}/copyright)
run(install -D -m 644 ${here}/debian/lintian-overrides ${top}/usr/share/lintian/overrides/ttytrail)
run(install -D -m 644 ${CPACK_TTYTRAIL_CHANGES} ${doc}/CHANGELOG.md)

# The day of the changes, not of the build: the same tree makes the same package.
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
  file(TIMESTAMP ${CPACK_TTYTRAIL_CHANGES} epoch %s UTC)
  set(ENV{SOURCE_DATE_EPOCH} ${epoch})
endif()
execute_process(COMMAND date -R -u -d @$ENV{SOURCE_DATE_EPOCH} OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE)
file(WRITE ${doc}/changelog "ttytrail (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * What changed: CHANGELOG.md.gz beside this file.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
file(GLOB pages ${top}/usr/share/man/man*/*.[0-9])
run(gzip -9nf ${pages} ${doc}/changelog ${doc}/CHANGELOG.md)
run(chmod 644 ${doc}/changelog.gz ${doc}/CHANGELOG.md.gz)

# Each link that may stand in passwd has its manual page.
file(GLOB links RELATIVE ${top}/usr/bin ${top}/usr/bin/ttytrail-shell-*)
foreach(link ${links})
  file(CREATE_LINK ttytrail-shell.8.gz ${top}/usr/share/man/man8/${link}.8.gz SYMBOLIC)
endforeach()
