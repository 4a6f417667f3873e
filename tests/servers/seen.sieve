require ["copy", "environment", "fileinto", "imap4flags", "imapsieve",
  "mailbox", "servermetadata"];
if allof (environment :contains "imap.changedflags" "\\Seen",
  hasflag "\\Seen", hasflag "$Chat", not hasflag "\\Deleted",
  servermetadata :is
    "/private/vendor/vendor.dovecot/coi/config/enabled" "yes",
  servermetadata :is
    "/private/vendor/vendor.dovecot/coi/config/message-filter" "seen")
{
	fileinto :copy :create "COI/Chats";
	addflag "\\Deleted";
}
