/* What became of each line of an import. */
#pragma once

#include "ctl/ctl.h"
#include "ctl/import.h"

/* On standard error, a line each. */
void import_report(const Ctl *ctl, const Import *im);
/* Its notes alone. */
void import_report_notes(const Ctl *ctl, const Import *im);
/* {Tasks: [{File, Line, Name, Text, Times}], Notes: [{File, Line, Lost, Message, Remedy}]} on standard output. */
void import_report_json(const Ctl *ctl, const Import *im);
