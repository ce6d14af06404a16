# Included at installation, when the prefix is known: fill FROM TO MODE replaces what stands between @ in a file.
set(TTYTRAIL_BINDIR ${CMAKE_INSTALL_PREFIX}/bin)
set(TTYTRAIL_SBINDIR ${CMAKE_INSTALL_PREFIX}/sbin)
set(TTYTRAIL_LIBDIR ${CMAKE_INSTALL_PREFIX}/libexec/ttytrail)

function(fill from dir)
  get_filename_component(name ${from} NAME)
  set(to $ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${dir}/${name})
  message(STATUS "Installing: ${to}")
  configure_file(${from} ${to} @ONLY FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ ${ARGN})
endfunction()
