//! The ids of this slice. They stand in URLs and events, so their prefixes never change.

kernel::id!(EndpointId, "wep", "Where webhooks go.");
kernel::id!(DeliveryId, "wdl", "One event on its way to one endpoint.");
kernel::id!(MailId, "mai", "An e-mail to a customer.");
