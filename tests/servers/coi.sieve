require ["fileinto", "imap4flags", "mailbox", "servermetadata"];
if allof (servermetadata :is
    "/private/vendor/vendor.dovecot/coi/config/enabled" "yes",
  anyof (exists "Chat-Version",
    header :matches :comparator "i;octet" "Message-ID"
      ["<chat$*", " <chat$*"],
    # a value folded behind the colon begins with a blank here
    header :matches :comparator "i;octet" "References"
      ["<chat$*", " <chat$*"]))
{
	if servermetadata :is
	  "/private/vendor/vendor.dovecot/coi/config/message-filter" "active"
	{
		fileinto :flags "$Chat" :create "COI/Chats";
		stop;
	}
	addflag "$Chat";
	keep;
}
