//  tree.h - walking an added folder, and what is refused on the way.

#ifndef ARTEL_TREE_H
#define ARTEL_TREE_H

#include "symlink.h"
#include "msgs.h"

//  Who is told. Each is called from the walk; paths live until it returns. 0 goes
//  on, anything else ends the walk and is its result.
typedef struct {
    //  The regular file name in the folder dir, a link to one if follow.
    int (*file)(void *arg, int dir, const char *name, bool follow, artel_str_t path);
    int (*link)(void *arg, artel_str_t path, artel_str_t target);
    int (*empty)(void *arg, artel_str_t path);      //  a folder with nothing in it
    //  path cannot be added: "is a socket". detail may be NULL. Returns code.
    int (*refuse)(void *arg, int code, artel_str_t path, const char *why, const char *detail);
    void *arg;
} artel_visitor_t;

typedef struct {
    int root;                   //  descriptor of the folder, borrowed
    const char *prefix;         //  before every path; "" for none
    artel_links_t links;
    artel_folder_id_t store;    //  not to be added to itself
} artel_tree_t;

//  Visit everything beneath the folder: what is in one folder in the order of names, then its
//  folders. At most two descriptors are open beside root, however deep it is, and
//  memory is used for names and folders only. ARTEL_ENOMEM, or what a visitor returned.
int
artel_tree_walk(const artel_tree_t *tree, const artel_visitor_t *visitor);

//  "is a FIFO" and so on for a mode that is neither file, folder nor link.
const char *
artel_tree_kind(mode_t mode);

#endif
