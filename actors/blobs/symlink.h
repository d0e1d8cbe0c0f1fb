//  symlink.h - what becomes of a symbolic link beneath an added folder.

#ifndef ARTEL_SYMLINK_H
#define ARTEL_SYMLINK_H

#include "ingest.h"

#include <linux/limits.h>
#include <sys/types.h>

typedef enum {
    ARTEL_LINK_KEEP,            //  an entry with the link's text
    ARTEL_LINK_FILE,            //  the content of the file it leads to
    ARTEL_LINK_FOLDER,          //  what is in the folder it leads to
} artel_link_fate_t;

//  A folder, told from any other.
typedef struct {
    dev_t dev;
    ino_t ino;
} artel_folder_id_t;

typedef struct {
    artel_link_fate_t fate;
    char target[PATH_MAX];      //  its text
    const char *why;            //  out, on refusal: "is a link ..."
} artel_link_t;

//  Decide about the link name in the folder dir, somewhere beneath the folder root.
//  0; or ARTEL_EINVAL (it loops, dangles, leads to a socket, FIFO or device, its text
//  is not UTF-8), ARTEL_EACCES, ARTEL_EMFILE, ARTEL_EIO, and why.
int
artel_link_judge(int dir, const char *name, artel_links_t links, artel_folder_id_t root,
                 artel_link_t *ret);

#endif
