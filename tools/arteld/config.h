//  config.h - what the service is told by a file.
//
//  One INI file is read: that of --config, else $XDG_CONFIG_HOME/artel/arteld.ini
//  (or ~/.config/artel/arteld.ini), else artel/arteld.ini in the first of
//  $XDG_CONFIG_DIRS (or /etc/xdg) that has it. A flag goes before the environment,
//  that before the file.

#ifndef ARTELD_CONFIG_H
#define ARTELD_CONFIG_H

#include "options.h"

//  Fill in what neither a flag nor the environment says; a trace goes into the
//  environment. Before any thread. -1, or an exit code after sentences that name file
//  and line. What options then points to lives as long as the process.
int
arteld_config_read(arteld_options_t *options);

#endif
