/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_API_SERVICE_H
#define AUTHORITY_API_SERVICE_H

#include "daemon/authority/authority.h"

/* org.certlogin.Service: for the server's options. */
bool api_service_authorize(struct vl_call *call, const struct vl_method *method, void *userdata);
void api_service_disconnected(struct vl_conn *conn, void *userdata);

#endif
