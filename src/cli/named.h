/*
 * cli/named - files that manifests name, certificates above all, as the compiler's hooks
 * (mesh/mesh.h). Blocks on files.
 */
#pragma once

#include "mesh/mesh.h"

/* Fills read_file and file_stamp; neither uses the hooks' `arg`. */
void named_files_hooks(struct mesh_hooks *ret);
