// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/program.h"

int main(int argc, char** argv) { return tintype::cli::run_program(argc, argv); }
