CREATE TABLE "registries" (
	"host" text PRIMARY KEY NOT NULL,
	"added_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "registry_logins" (
	"owner_id" text NOT NULL,
	"registry" text NOT NULL,
	"username" text NOT NULL,
	"sealed" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "registry_logins_owner_id_registry_pk" PRIMARY KEY("owner_id","registry")
);
--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "use_instead" text;--> statement-breakpoint
ALTER TABLE "registry_logins" ADD CONSTRAINT "registry_logins_owner_id_people_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."people"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registry_logins" ADD CONSTRAINT "registry_logins_registry_registries_host_fk" FOREIGN KEY ("registry") REFERENCES "public"."registries"("host") ON DELETE cascade ON UPDATE no action;