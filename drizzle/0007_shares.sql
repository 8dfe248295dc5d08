CREATE TABLE "shares" (
	"container_id" text NOT NULL,
	"guest_id" text NOT NULL,
	"level" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "shares_container_id_guest_id_pk" PRIMARY KEY("container_id","guest_id")
);
--> statement-breakpoint
ALTER TABLE "shares" ADD CONSTRAINT "shares_container_id_containers_id_fk" FOREIGN KEY ("container_id") REFERENCES "public"."containers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "shares" ADD CONSTRAINT "shares_guest_id_people_id_fk" FOREIGN KEY ("guest_id") REFERENCES "public"."people"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "shares_guest" ON "shares" USING btree ("guest_id");